"""The data of the scripts beside this file, as NumPy arrays: the digits that minigrad brings along, or a full set.

`--data few` trains on a tenth of them, for a quick look, `--data mnist` all of MNIST and `--data fashion` Fashion-MNIST,
downloaded once. None of it depends on whether torch is torch or minigrad.
"""

import argparse

import numpy as np

from minigrad.vision import datasets


def load():
    """The tutorial's x_train, y_train, x_valid, y_valid: flat images, float32 of (n, 784) in [0, 1), and labels, int64."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", choices=["digits", "few", "mnist", "fashion"], default="digits")
    data = parser.parse_args().data
    if data == "fashion":
        sets = [datasets.FashionMNIST(datasets.data_folder(), train, download=True) for train in (True, False)]
        train, valid = ((np.float32(s.data.numpy().reshape(-1, 784)) / 256, s.targets.numpy()) for s in sets)
    else:
        train, valid, _ = datasets.load_mnist() if data == "mnist" else datasets.load_digits()
    if data == "few":
        train = [array[: len(array) // 10] for array in train]
    return *train, *valid


def load_images():
    """The same as a camera gives them: images uint8 of (n, 28, 28), labels int64."""
    x_train, y_train, x_valid, y_valid = load()
    images = [(x * 256).astype(np.uint8).reshape(-1, 28, 28) for x in (x_train, x_valid)]
    return images[0], y_train, images[1], y_valid
