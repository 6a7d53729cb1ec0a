"""`SummaryWriter`: curves, histograms, pictures and text of a training run, for TensorBoard to show.

The package `tensorboard` writes the files; it is an optional extra, ``pip install 'minigrad[tensorboard]'``. Then
``tensorboard --logdir runs`` shows them in a browser.
"""

from __future__ import annotations

import functools
import io
import os
import socket
import time
from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.autograd import unwrapped, wrap

_EDGES = np.multiply.accumulate([1e-12, *[1.1] * 773])  # to 1e20, each a tenth above the one before, as TensorFlow has them
_BINS = np.concatenate([-_EDGES[::-1], [0], _EDGES])



@functools.cache
def _package() -> Any:
    """What is needed of the package tensorboard."""
    try:
        from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError as error:
        raise ModuleNotFoundError("torch.utils.tensorboard needs the package tensorboard: pip install 'minigrad[tensorboard]'",
                                  name="tensorboard") from error
    names: dict[str, Any] = {}
    for part in (event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2):
        names |= vars(part)
    return SimpleNamespace(**names, EventFileWriter=EventFileWriter)


class SummaryWriter:
    """Writes what happens in a run into a folder.

    Parameters
    ----------
    log_dir : str or path, optional
        The folder. Default: ``runs/`` and the time, the name of the computer and `comment`.
    comment : str
        See `log_dir`.
    purge_step : int, optional
        A run that was interrupted goes on here: TensorBoard does not show what was written for this step and later ones.
    max_queue : int
        How many entries may wait to be written.
    flush_secs : float
        After how many seconds they are written at the latest.
    filename_suffix : str
        What is added to the names of files.

    Raises
    ------
    ModuleNotFoundError
        If the package is not there.

    Examples
    --------
    >>> writer = SummaryWriter("runs/first")  # doctest: +SKIP
    >>> writer.add_scalar("loss", 0.25, 1)  # doctest: +SKIP
    >>> writer.close()  # doctest: +SKIP
    """

    def __init__(
        self, log_dir: str | os.PathLike[str] | None = None, comment: str = "", purge_step: int | None = None, max_queue: int = 10,
        flush_secs: float = 120, filename_suffix: str = "",
    ) -> None:  # fmt: skip
        now = datetime.now().strftime("%b%d_%H-%M-%S")
        self.log_dir = os.fspath(log_dir or os.path.join("runs", f"{now}_{socket.gethostname()}{comment}"))
        self._options = max_queue, flush_secs, filename_suffix
        self._writers: dict[str, Any] = {}
        start = self._in(self.log_dir)
        if purge_step is not None:
            made = _package()
            status = made.SessionLog(status=made.SessionLog.START)
            start.add_event(made.Event(wall_time=time.time(), step=purge_step, session_log=status))

    def add_scalar(
        self, tag: str, scalar_value: Any, global_step: int | None = None, walltime: float | None = None, new_style: bool = False,
        double_precision: bool = False,
    ) -> None:  # fmt: skip
        """A number, a point of the curve `tag`.

        Raises
        ------
        NotImplementedError
            For `new_style` and `double_precision`.
        """
        if new_style or double_precision:
            raise NotImplementedError("SummaryWriter.add_scalar(): new_style and double_precision are not supported; omit them")
        self._add(_package().Summary.Value(tag=tag, simple_value=_number("add_scalar", scalar_value)), global_step, walltime)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: Mapping[str, Any], global_step: int | None = None, walltime: float | None = None
    ) -> None:
        """Numbers, points of several curves in one picture. Each curve has a folder of its own."""
        for tag, number in tag_scalar_dict.items():
            value = _package().Summary.Value(tag=main_tag, simple_value=_number("add_scalars", number))
            self._add(value, global_step, walltime, f"{self.log_dir}/{main_tag.replace('/', '_')}_{tag}")

    def add_histogram(
        self, tag: str, values: Any, global_step: int | None = None, bins: Any = "tensorflow", walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:  # fmt: skip
        """How often numbers of each size occur in a tensor.

        Parameters
        ----------
        bins : str or sequence of numbers
            Edges of the bins; ``"tensorflow"``, or a rule of `numpy.histogram_bin_edges`.

        Raises
        ------
        ValueError
            If there is no number.
        NotImplementedError
            For `max_bins`.
        """
        if max_bins is not None:
            raise NotImplementedError("SummaryWriter.add_histogram(): max_bins is not supported; give the edges as bins")
        x = np.asarray(unwrapped(values), np.float64).reshape(-1)
        if not x.size:
            raise ValueError("The input has no element.")
        counts, edges = np.histogram(x, _BINS if isinstance(bins, str) and bins == "tensorflow" else bins)
        used = np.flatnonzero(counts)
        first, last = (used[0], used[-1] + 1) if used.size else (0, 1)
        histogram = _package().HistogramProto(
            min=x.min(), max=x.max(), num=x.size, sum=x.sum(), sum_squares=x @ x, bucket_limit=edges[first : last + 1],
            bucket=[0, *counts[first:last]])  # fmt: skip
        self._add(_package().Summary.Value(tag=tag, histo=histogram), global_step, walltime)

    def add_image(
        self, tag: str, img_tensor: Any, global_step: int | None = None, walltime: float | None = None, dataformats: str = "CHW"
    ) -> None:
        """A picture: floating-point numbers from 0 to 1, or uint8; `dataformats` says which dimension is which."""
        if sorted(dataformats) not in (["C", "H", "W"], ["H", "W"]):
            raise ValueError(f"add_image(): dataformats must name H, W and, for colours, C, got {dataformats!r}")
        x = unwrapped(img_tensor)
        if x.ndim != len(dataformats):
            raise ValueError(f"size of input tensor and input format are different. tensor shape: {x.shape}, "
                             f"input_format: {dataformats}")
        x = np.transpose(x, [dataformats.index(c) for c in "HWC" if c in dataformats])
        self._add(_package().Summary.Value(tag=tag, image=_picture(x)), global_step, walltime)

    def add_images(
        self, tag: str, img_tensor: Any, global_step: int | None = None, walltime: float | None = None, dataformats: str = "NCHW"
    ) -> None:
        """Pictures, side by side in rows of eight."""
        from minigrad.vision.utils import make_grid

        if sorted(dataformats) != ["C", "H", "N", "W"]:
            raise ValueError(f"add_images(): dataformats must name N, C, H and W, got {dataformats!r}")
        x = np.transpose(unwrapped(img_tensor), [dataformats.index(c) for c in "NCHW"])
        self.add_image(tag, make_grid(wrap(x), padding=0), global_step, walltime)

    def add_figure(
        self, tag: str, figure: Any, global_step: int | None = None, close: bool = True, walltime: float | None = None
    ) -> None:
        """A figure of matplotlib's, or a list of them; `close` closes it."""
        from matplotlib import pyplot
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        figures = figure if isinstance(figure, (list, tuple)) else [figure]
        pictures = []
        for each in figures:
            canvas: Any = FigureCanvasAgg(each)
            canvas.draw()
            pictures.append(np.asarray(canvas.buffer_rgba())[..., :3].transpose(2, 0, 1))
            if close:
                pyplot.close(each)
        if len(pictures) == 1:
            self.add_image(tag, pictures[0], global_step, walltime)
        else:
            self.add_images(tag, np.stack(pictures), global_step, walltime)

    def add_text(self, tag: str, text_string: str, global_step: int | None = None, walltime: float | None = None) -> None:
        """Some text, in Markdown."""
        text = _package().TensorProto(dtype=_package().DT_STRING, string_val=[text_string.encode()],
                           tensor_shape=_package().TensorShapeProto(dim=[_package().TensorShapeProto.Dim(size=1)]))  # fmt: skip
        about = _package().SummaryMetadata(plugin_data=_package().SummaryMetadata.PluginData(plugin_name="text"))
        self._add(_package().Summary.Value(tag=f"{tag}/text_summary", metadata=about, tensor=text), global_step, walltime)

    def get_logdir(self) -> str:
        """The folder."""
        return self.log_dir

    def flush(self) -> None:
        """Write what waits."""
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        """Write what waits, and close the files; what is added later opens new ones."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("add_"):
            raise NotImplementedError(f"SummaryWriter.{name}() is not supported; there are add_scalar, add_scalars, add_histogram, "
                                      "add_image, add_images, add_figure and add_text")
        raise AttributeError(f"'SummaryWriter' object has no attribute {name!r}")

    def _in(self, folder: str) -> Any:
        if folder not in self._writers:
            self._writers[folder] = _package().EventFileWriter(folder, *self._options)
        return self._writers[folder]

    def _add(self, value: Any, step: Any, walltime: float | None, folder: str | None = None) -> None:
        event = _package().Event(wall_time=walltime or time.time(), summary=_package().Summary(value=[value]))
        if step is not None:
            event.step = int(step)
        self._in(folder or self.log_dir).add_event(event)


def _number(name: str, x: Any) -> float:
    x = np.asarray(unwrapped(x))
    if x.size != 1:
        raise ValueError(f"{name}(): expected a number, got an array of shape {list(x.shape)}")
    return float(x.reshape(()))


def _picture(x: Array) -> Any:
    """A picture of shape (height, width) or (height, width, channels), as a PNG."""
    from PIL import Image

    if x.dtype != np.uint8:
        x = np.clip(np.asarray(x, np.float32) * 255, 0, 255).astype(np.uint8)
    x = np.atleast_3d(x)
    x = x.repeat(3, 2) if x.shape[2] == 1 else x
    file = io.BytesIO()
    Image.fromarray(x).save(file, "PNG")
    height, width, channels = x.shape
    return _package().Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=file.getvalue())
