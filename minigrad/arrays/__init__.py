"""What lies below tensors: dtypes, sums of arrays, their memory and printing, and torch's names of arguments."""
