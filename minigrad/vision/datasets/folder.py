"""Images in folders, a folder for each class, as in `torchvision.datasets`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.vision.datasets.vision import VisionDataset
from minigrad.vision.transforms.functional import pillow

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def default_loader(path: str) -> Any:
    """The image in a file, in colours, as Pillow reads it; Pillow must be installed."""
    with open(path, "rb") as file:
        return pillow().open(file).convert("RGB")


class DatasetFolder(VisionDataset):
    """Files in folders, a folder for each class: ``root/class/anything.ext``, in folders below that, too.

    Parameters
    ----------
    root : str or path
        The folder of the folders.
    loader : callable
        What to make of the path of a file.
    extensions : sequence of str, optional
        How the names of the files end that count; or else:
    is_valid_file : callable, optional
        Whether the file at a path counts.
    transform, target_transform : callable, optional
        What to make of what was loaded, and of the number of its class.
    allow_empty : bool
        Whether classes may have no files.

    Attributes
    ----------
    classes : list of str
        The names of the folders, sorted.
    class_to_idx : dict
        The number of each class by its name.
    samples : list of (str, int)
        The path of each file and the number of its class.
    targets : list of int

    Raises
    ------
    FileNotFoundError
        If there is no class, or one without a file.
    """

    def __init__(
        self, root: Any, loader: Callable[[str], Any], extensions: Sequence[str] | None = None,
        transform: Callable[[Any], Any] | None = None, target_transform: Callable[[Any], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None, allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        if (extensions is None) == (is_valid_file is None):
            raise ValueError("Both extensions and is_valid_file cannot be None or not None at the same time")
        self.loader, self.extensions = loader, extensions
        self.classes, self.class_to_idx = self.find_classes(self.root)
        counts = is_valid_file or (lambda path: path.lower().endswith(tuple(extensions or ())))
        paths = ((path, number) for name, number in self.class_to_idx.items() for path in _files(self.root, name))
        self.samples = [(path, number) for path, number in paths if counts(path)]
        self.targets = [number for _, number in self.samples]
        empty = sorted(set(self.class_to_idx.values()) - set(self.targets))
        if empty and not allow_empty:
            supported = "" if extensions is None else f" Supported extensions are: {', '.join(extensions)}"
            names = ", ".join(self.classes[i] for i in empty)
            raise FileNotFoundError(f"Found no valid file for the classes {names}.{supported}")

    def find_classes(self, directory: str) -> tuple[list[str], dict[str, int]]:
        """The names of the folders in a folder, sorted, and their numbers."""
        classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
        if not classes:
            raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
        return classes, {name: i for i, name in enumerate(classes)}

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self._transformed(self.loader(path), target)


def _files(root: str, name: str) -> list[str]:
    """All files below a class's folder, in the order of their paths."""
    folders = sorted(os.walk(os.path.join(root, name), followlinks=True))
    return [os.path.join(folder, file) for folder, _, files in folders for file in sorted(files)]


class ImageFolder(DatasetFolder):
    """Images in folders, a folder for each class: ``root/dog/xxx.png``, ``root/cat/123.jpg``. They are read by Pillow.

    Attributes
    ----------
    imgs : list of (str, int)
        The path of each image and the number of its class.
    """

    def __init__(
        self, root: Any, transform: Callable[[Any], Any] | None = None, target_transform: Callable[[Any], Any] | None = None,
        loader: Callable[[str], Any] = default_loader, is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        extensions = IMG_EXTENSIONS if is_valid_file is None else None
        super().__init__(root, loader, extensions, transform, target_transform, is_valid_file, allow_empty)
        self.imgs = self.samples
