"""The same training job on torch, to hold minigrad's numbers and times against."""
