"""The commands, as a person runs them: the output read back.

`run` starts a real process. `here` runs the same module in this one, which spares each call the import of torch.
"""

import contextlib
import io
import os
import re
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch

import minigrad
from minigrad.tools.plot import plot_training

ROOT = Path(__file__).parent.parent
EPOCH = re.compile(r"epoch (\d+)/(\d+)  validation loss (\d+\.\d{4})  accuracy (\d+\.\d\d)%")
FINAL = re.compile(r"test accuracy (\d+\.\d\d)% after (\d+\.\d\d) seconds of training")
ROW = re.compile(r" +(\d+) +(\d+\.\d{6}) +(\d+\.\d{6}) +(\d\.\d\de[-+]\d\d)")


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    ours, theirs = minigrad.get_num_threads(), torch.get_num_threads()
    yield
    minigrad.set_num_threads(ours)
    torch.set_num_threads(theirs)


def run(*arguments, **environment):
    """Run `python -m arguments...` from the root of the repository, with every warning an error."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {name: str(value) for name, value in environment.items()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def here(program, *arguments, **environment):
    """Run `python -m program arguments...` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", [program, *map(str, arguments)]),
        mock.patch.dict(os.environ, {name: str(value) for name, value in environment.items()}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as left,
    ):
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    return subprocess.CompletedProcess(arguments, left.value.code, out.getvalue(), err.getvalue())


def results(output: str):
    """Per epoch (validation loss, accuracy in %), the test accuracy in %, and the seconds."""
    *epochs, last = output.splitlines()
    lines = [EPOCH.fullmatch(line) for line in epochs]
    assert [(int(m[1]), int(m[2])) for m in lines] == [(i + 1, len(lines)) for i in range(len(lines))]
    final = FINAL.fullmatch(last)
    return [(float(m[3]), float(m[4])) for m in lines], float(final[1]), float(final[2])


def assert_one_sentence(done, *words):
    """It refused with status 2 and one line on stderr that holds each of `words`."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


# --- train -----------------------------------------------------------------------------------------------------------


def test_main_job_reaches_its_accuracy_in_its_time():
    done = run("minigrad", "train")
    assert done.returncode == 0, done.stderr
    epochs, test_accuracy, seconds = results(done.stdout)
    assert len(epochs) == 5
    assert epochs[-1][1] >= 88
    assert epochs[-1][0] < epochs[0][0]
    assert test_accuracy >= 85
    assert seconds < 60
    assert "epoch 1/5" in done.stderr  # the progress bar
    assert "/157" in done.stderr


@pytest.mark.parametrize("model", ["manual", "logistic", "mlp", "cnn"])
def test_twins_train_alike(model):
    options = ["train", "--model", model, "--epochs", 1, "--lr", 0.05, "--quiet"]
    ours, twin = here("minigrad", *options), here("reference", *options, "--device", "cpu")
    assert ours.returncode == twin.returncode == 0, (ours.stderr, twin.stderr)
    assert ours.stderr == twin.stderr == ""
    (our_epochs, our_test, _), (twin_epochs, twin_test, _) = results(ours.stdout), results(twin.stdout)
    # From one seed come the same weights and the same shuffle in both, so the same digits are told apart, bar a few
    # (of 2,000; one is 0.05 %) that stand on the edge.
    assert our_epochs[0] == pytest.approx(twin_epochs[0], abs=0.2)
    assert our_test == pytest.approx(twin_test, abs=0.2)


def test_seed_fixes_the_run():
    options = ["minigrad", "train", "--epochs", 1, "--lr", 0.05, "--momentum", 0.5, "--batch-size", 500, "--quiet"]
    first, again, other = (results(here(*options, "--seed", seed).stdout)[0] for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.parametrize(("options", "expected"), [([], 1), (["--threads", 2], 2)])
def test_threads_of_training(options, expected):
    minigrad.set_num_threads(3 - expected)
    done = here("minigrad", "train", "--epochs", 1, "--batch-size", 5000, "--quiet", *options)
    assert done.returncode == 0
    assert minigrad.get_num_threads() == expected


def test_learning_rate_zero_learns_nothing():
    done = here("minigrad", "train", "--epochs", 2, "--lr", 0, "--batch-size", 5000, "--quiet")
    (first, second), _, _ = results(done.stdout)
    assert first == second
    assert first[1] < 40


@pytest.mark.parametrize("program", ["minigrad", "reference"])
def test_train_draws_how_it_went(program, tmp_path):
    picture = tmp_path / "curves.png"
    done = here(program, "train", "--epochs", 1, "--batch-size", 1000, "--quiet", "--plot", picture)
    assert (done.returncode, done.stderr) == (0, "")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_compiled_step_gives_the_same_numbers():
    """The same losses and accuracies, printed with all their digits."""
    options = "train", "--epochs", 2, "--quiet"
    eager, compiled = here("minigrad", *options), here("minigrad", *options, "--compile")
    assert (compiled.returncode, compiled.stderr) == (0, "")
    assert compiled.stdout.splitlines()[:-1] == eager.stdout.splitlines()[:-1]  # the last line tells the time


@pytest.mark.parametrize("model", ["linear", "manual", "logistic", "mlp", "cnn"])
def test_the_source_of_a_step(model, tmp_path):
    """A program with comments, and a file that needs NumPy alone."""
    done = here("minigrad", "source", "--model", model, "--batch-size", 4, "--export", tmp_path / "step.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert "import numpy as np" in done.stdout
    assert "# derivative of" in done.stdout
    alone = subprocess.run([sys.executable, tmp_path / "step.py"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (alone.returncode, alone.stderr) == (0, "")
    assert float(alone.stdout.split()[0]) > 0


def test_a_program_is_a_python_file(tmp_path):
    done = here("minigrad", "source", "--export", tmp_path / "step.txt")
    assert done.returncode == 2
    assert "must end in .py" in done.stderr


def test_the_picture_of_a_training_run():
    images = np.zeros((3, 784), np.float32)
    mistakes = minigrad.tensor(images), torch.tensor([1, 2, 3]), np.array([7, 0, 5])  # of either framework, or arrays
    figure = plot_training([3.0, 2.0, 1.5, 1.0], [(1.8, 0.5), (1.1, 0.75)], mistakes)
    curves, digits = figure.subfigs
    loss, accuracy = curves.axes
    (steps, validation), (right,) = loss.lines, accuracy.lines
    assert steps.get_xydata().tolist() == [[1, 3.0], [2, 2.0], [3, 1.5], [4, 1.0]]
    assert validation.get_xydata().tolist() == [[2, 1.8], [4, 1.1]]
    assert right.get_xydata().tolist() == [[1, 50.0], [2, 75.0]]
    assert [axes.get_title() for axes in digits.axes if axes.images] == ["1 read as 7", "2 read as 0", "3 read as 5"]
    assert digits.get_suptitle().startswith("3 digits of the test data were taken for another")


def test_a_picture_without_mistakes():
    nothing = np.zeros((0, 784)), np.zeros(0), np.zeros(0)
    figure = plot_training([1.0], [(1.0, 1.0)], nothing)
    assert figure.subfigs[1].get_suptitle() == "0 digits of the test data were taken for another"


# --- compare ---------------------------------------------------------------------------------------------------------


def compare(*options, command=here):
    """The rows (step, loss, loss, gap), the largest gap, the number of steps, and the whole output."""
    done = command("reference", "compare", "--quiet", *options)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = [tuple(map(float, m.groups())) for line in done.stdout.splitlines() if (m := ROW.fullmatch(line))]
    largest = re.search(r"largest gap (\S+), at step (\d+) of (\d+)", done.stdout)
    return rows, float(largest[1]), int(largest[3]), done.stdout


# The network's ReLUs let the curves part further, once a hidden unit falls on the other side of zero.
@pytest.mark.parametrize(("model", "bound"), [("manual", 1e-5), ("logistic", 1e-5), ("mlp", 1e-3)])
def test_compare_shows_two_curves_that_agree(model, bound):
    rows, largest, steps, output = compare("--model", model, "--epochs", 1, "--lr", 0.05)
    assert steps == 157
    assert len(rows) == 20
    assert (rows[0][0], rows[-1][0]) == (1, 157)
    assert rows[-1][1] < rows[0][1] / 2
    for _, ours, twin, gap in rows:
        assert abs(ours - twin) == pytest.approx(gap, abs=2e-6)
        assert gap <= largest
    assert largest < bound
    assert "threads: 1 each" in output
    times = re.findall(r"(minigrad|torch) +validation loss \S+  accuracy \S+%  (\d+\.\d\d) s", output)
    assert [name for name, _ in times] == ["minigrad", "torch"]
    ratio = float(re.search(r"minigrad took (\S+) times", output)[1])
    assert ratio > 0


def test_compare_starts_from_the_seed_alone():
    """Other weights and other batches with another seed, and the same on both sides."""
    curves = []
    for seed in (1, 2):
        rows, largest, _, output = compare("--epochs", 2, "--batch-size", 1000, "--seed", seed)
        assert largest < 1e-6
        assert f"both from seed {seed}" in output
        curves.append([ours for _, ours, _, _ in rows])
    assert all(abs(a - b) > 1e-5 for a, b in zip(*curves, strict=True))


def test_compare_draws_the_curves_with_the_threads_asked_for(tmp_path):
    picture = tmp_path / "curves.png"
    *_, output = compare("--epochs", 1, "--batch-size", 1000, "--threads", 2, "--plot", picture, command=run)
    assert "threads: 2 each" in output
    assert picture.read_bytes().startswith(b"\x89PNG")


# --- What goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--model", "forest"], ["--model", "forest", "logistic"]),
        (["train", "--data", "cats"], ["--data", "cats", "mnist"]),
        (["train", "--epochs", "0"], ["--epochs", "whole number", "'0'"]),
        (["train", "--epochs", "many"], ["--epochs", "whole number", "'many'"]),
        (["train", "--batch-size", "-1"], ["--batch-size", "'-1'"]),
        (["train", "--batch-size", "9" * 30], ["--batch-size", "1000000000"]),
        (["train", "--lr", "nan"], ["--lr", "'nan'"]),
        (["train", "--lr", "fast"], ["--lr", "'fast'"]),
        (["train", "--momentum", "-0.5"], ["--momentum", "'-0.5'"]),
        (["train", "--seed", "-1"], ["--seed", "'-1'"]),
        (["train", "--depth", "3"], ["--depth"]),
        (["train", "extra"], ["extra"]),
        (["train", "--threads", "0"], ["--threads", "'0'"]),
        (["train", "--plot", "curves.pdf"], ["curves.pdf", ".png"]),
        (["fly"], ["fly", "train"]),
        ([], ["train"]),
    ],
)
def test_wrong_options(arguments, words):
    assert_one_sentence(here("minigrad", *arguments), *words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--device", "tpu"], ["--device", "tpu", "cuda"]),
        (["compare", "--threads", "0"], ["--threads", "'0'"]),
        (["compare", "--device", "cpu"], ["--device"]),
        (["compare", "--plot", "curves.pdf"], ["curves.pdf", ".png"]),
        (["compare", "--plot", "no/such/folder/curves.png"], ["no/such/folder/curves.png"]),
    ],
)
def test_wrong_options_of_the_reference(arguments, words):
    assert_one_sentence(here("reference", *arguments), *words)


def test_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert_one_sentence(here("reference", "train", "--device", "cuda"), "GPU", "--device cpu")


def test_auto_device_without_gpu_takes_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    done = here("reference", "train", "--epochs", 1, "--batch-size", 1000, "--quiet")
    assert results(done.stdout)[0][0][1] > 50


@pytest.mark.parametrize("program", ["minigrad", "reference"])
def test_unreadable_data_file(program, tmp_path):
    (tmp_path / "mnist.pkl.gz").write_bytes(b"no gzip at all")
    done = here(program, "train", "--data", "mnist", MINIGRAD_DATA=tmp_path)
    assert_one_sentence(done, "mnist.pkl.gz")


def test_nobodys_home():
    done = here("minigrad", "train", "--data", "mnist", MINIGRAD_DATA="~nobody-of-this-name/data")
    assert_one_sentence(done, "~nobody-of-this-name/data", "MINIGRAD_DATA")


def test_no_network(tmp_path):
    nobody = "http://127.0.0.1:9"  # the discard port: nothing listens there
    environment = {"MINIGRAD_DATA": tmp_path, "HTTPS_PROXY": nobody, "https_proxy": nobody}
    done = here("minigrad", "train", "--data", "mnist", "--quiet", **environment)
    assert_one_sentence(done, "download")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["train", "compare"])
def test_no_torch(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert_one_sentence(here("reference", command), "torch", "pip install torch")


# --- Leaving early ---------------------------------------------------------------------------------------------------


def start_long_run():
    """Train for ever and come back after the first epoch."""
    process = subprocess.Popen(
        [sys.executable, "-m", "minigrad", "train", "--epochs", "1000000", "--quiet"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert EPOCH.fullmatch(process.stdout.readline().rstrip())
    return process


def test_ctrl_c_leaves_in_one_line():
    with start_long_run() as process:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.strip() == "interrupted"


def test_closed_pipe_leaves_in_silence():
    with start_long_run() as process:
        process.stdout.close()  # as `| head -1` does
        errors = process.stderr.read()
        process.wait(timeout=30)
    assert process.returncode == 1
    assert errors == ""
