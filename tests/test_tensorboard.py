"""`utils.tensorboard`: what is written is what PyTorch writes, as TensorBoard's own reader sees it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

import minigrad as mg
from minigrad.utils.tensorboard import SummaryWriter


def test_without_the_package_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from minigrad.utils import tensorboard

    monkeypatch.setattr(tensorboard, "_package", tensorboard._package.__wrapped__)
    monkeypatch.setitem(__import__("sys").modules, "tensorboard.compat.proto", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'minigrad\[tensorboard\]'"):
        SummaryWriter(tmp_path)


def write(m: Any, writer: Any) -> None:
    m.manual_seed(0)
    for step in range(3):
        writer.add_scalar("loss", 1 / (step + 1), step)
        writer.add_scalar("tensor", m.tensor(0.5 * step), m.tensor(step))
        writer.add_scalars("both", {"train": step, "test": 2 * step}, step)
    writer.add_histogram("weights", m.tensor([0.0, 1e-3, -0.5, 0.25, 0.25, 7]), 1)
    writer.add_histogram("counts", m.arange(10), 1, bins="auto")
    writer.add_image("grey", m.arange(12.0).view(1, 3, 4) / 12, 2)
    writer.add_image("colours", m.arange(36).view(3, 4, 3).to(m.uint8), 2, dataformats="HWC")
    writer.add_images("several", m.arange(24.0).view(2, 1, 3, 4) / 24)
    writer.add_text("note", "**bold**", 3)
    writer.close()


def read(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import STORE_EVERYTHING_SIZE_GUIDANCE, EventAccumulator

    found = {}
    for each in sorted([folder, *(path for path in folder.iterdir() if path.is_dir())]):
        events = EventAccumulator(str(each), STORE_EVERYTHING_SIZE_GUIDANCE)
        events.Reload()
        tags = events.Tags()
        for tag in tags["scalars"]:
            found[each.name, tag] = [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in tags["histograms"]:
            found[each.name, tag] = [(event.step, event.histogram_value) for event in events.Histograms(tag)]
        for tag in tags["images"]:
            found[each.name, tag] = [(event.step, np.asarray(Image.open(io.BytesIO(event.encoded_image_string))).tolist())
                                     for event in events.Images(tag)]  # fmt: skip
        for tag in tags["tensors"]:
            found[each.name, tag] = [(event.step, list(event.tensor_proto.string_val)) for event in events.Tensors(tag)]
    return found


def test_files_say_what_torchs_say(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the optional extra tensorboard is not installed")
    from torch.utils.tensorboard import SummaryWriter as Theirs

    folders = tmp_path / "ours" / "run", tmp_path / "theirs" / "run"
    write(mg, SummaryWriter(folders[0]))
    write(torch, Theirs(folders[1]))
    ours, theirs = map(read, folders)
    assert len(ours) == 10
    assert ours == theirs


def test_figures_and_what_is_not_supported(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the optional extra tensorboard is not installed")
    figure = Figure(figsize=(1, 1), dpi=50)
    figure.subplots().plot([1, 2])
    with SummaryWriter(tmp_path / "run", purge_step=3) as writer:
        writer.add_figure("plot", figure, 4)
        assert writer.get_logdir() == str(tmp_path / "run")
        with pytest.raises(NotImplementedError, match=r"SummaryWriter\.add_graph\(\) is not supported"):
            writer.add_graph(mg.nn.Linear(1, 1), mg.ones(1))
        with pytest.raises(ValueError, match=r"expected a number, got an array of shape \[2\]"):
            writer.add_scalar("loss", mg.ones(2))
        with pytest.raises(ValueError, match="The input has no element"):
            writer.add_histogram("none", mg.ones(0))
        with pytest.raises(ValueError, match="input tensor and input format are different"):
            writer.add_image("flat", mg.ones(3, 4))
        with pytest.raises(NotImplementedError, match="new_style"):
            writer.add_scalar("loss", 1, new_style=True)
    (((step, pixels),),) = read(tmp_path / "run").values()
    assert step == 4
    assert np.shape(pixels) == (50, 50, 3)
