"""The data of the scripts beside this file, as NumPy arrays: the digits that minigrad brings along, or a full set.

`--data mnist` takes all of MNIST, downloaded once; nothing here depends on whether torch is torch or minigrad.
"""

import argparse

from minigrad.vision import datasets


def load():
    """The tutorial's x_train, y_train, x_valid, y_valid: flat images, float32 of (n, 784) in [0, 1), and labels, int64."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", choices=["digits", "mnist"], default="digits")
    train, valid, _ = datasets.load_digits() if parser.parse_args().data == "digits" else datasets.load_mnist()
    return *train, *valid
