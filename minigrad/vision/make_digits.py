"""Make `digits.npz`, the sample that minigrad embeds, from the genuine MNIST.

    python -m minigrad.vision.make_digits path/to/mnist.pkl.gz

The first digits of each part, in their own order (a sorted file would train badly without shuffling), as bytes.
"""

import argparse
from pathlib import Path

import numpy as np

from minigrad.vision.datasets import MNIST_DIGEST, read_mnist

COUNTS = {"train": 10_000, "valid": 2_000, "test": 2_000}


def make_digits(source: Path, destination: Path, digest: str = MNIST_DIGEST) -> None:
    """Write the sample of the `mnist.pkl.gz` at `source` to `destination`; the same source gives the same bytes."""
    arrays = {}
    for (name, count), (x, y) in zip(COUNTS.items(), read_mnist(source, digest), strict=True):
        # Exact: a pixel of the genuine set is a whole number of 256ths.
        arrays[f"x_{name}"] = (x[:count] * 256).astype(np.uint8)
        arrays[f"y_{name}"] = y[:count].astype(np.uint8)
    np.savez_compressed(destination, allow_pickle=False, **arrays)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the sample of MNIST that minigrad embeds.")
    parser.add_argument("source", type=Path, help="the genuine mnist.pkl.gz")
    parser.add_argument("destination", type=Path, nargs="?", default=Path(__file__).with_name("digits.npz"))
    options = parser.parse_args()
    make_digits(options.source, options.destination)
