"""NumPy arrays before there is a tensor: dtypes and promotion, memory, printing."""
