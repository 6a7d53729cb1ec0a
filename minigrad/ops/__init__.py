"""All operations, one file per family. Each has its value and its derivatives side by side.

Reading order: `elementwise`, `shape`, `reduction`, `linalg`, `indexing`.
"""
