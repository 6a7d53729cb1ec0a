"""Every operation, one file per family; in each, a value and its derivatives stand side by side.

Reading order: `elementwise`, `shape`, `reduction`, `linalg`, `indexing`.
"""
