"""`save` writes where its user may write, and nowhere else; what it replaces keeps its owner, mode and names."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import minigrad as mg
from minigrad.serialization.replacing import replacing


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of a user who is not root, as whom the test runs."""
    root = os.geteuid() == 0
    path = Path(tempfile.mkdtemp())
    "x".encode("cp437")  # zip files need it, and that user may not be able to read where Python lies
    if root:
        os.chown(path, 65534, 65534)
        os.setegid(65534)
        os.seteuid(65534)
    yield path
    if root:
        os.seteuid(0)
        os.setegid(0)
    shutil.rmtree(path)


def as_root(function: object, *args: object) -> None:
    """Do what the user of the test could not; without root the test cannot."""
    user = os.geteuid()
    try:
        os.seteuid(0)
    except PermissionError:
        pytest.skip("needs root, to make files of other owners")
    try:
        function(*args)  # type: ignore[operator]
    finally:
        os.seteuid(user)


def test_a_file_that_may_not_be_written_is_left_alone(folder: Path) -> None:
    path = folder / "x.pt"
    mg.save(1, path)
    path.chmod(0o444)
    with pytest.raises(RuntimeError, match="Permission denied"):
        mg.save(2, path)
    assert mg.load(path) == 1
    assert os.listdir(folder) == ["x.pt"]


def test_a_file_of_another_owner_that_may_not_be_written(folder: Path) -> None:
    path = folder / "x.pt"
    mg.save(1, path)
    as_root(os.chown, path, 0, 0)
    with pytest.raises(RuntimeError, match="Permission denied"):
        mg.save(2, path)
    assert mg.load(path) == 1


def test_a_file_of_another_owner_that_may_be_written_stays_theirs(folder: Path) -> None:
    path = folder / "x.pt"
    mg.save([1] * 1000, path)
    path.chmod(0o666)
    as_root(os.chown, path, 0, 0)
    with pytest.warns(UserWarning, match="overwritten where it stands, because it belongs to somebody else: a crash"):
        mg.save(2, path)
    assert mg.load(path) == 2
    assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (0, 0o666)
    assert os.listdir(folder) == ["x.pt"]


def test_root_keeps_the_owner(folder: Path) -> None:
    path = folder / "x.pt"
    mg.save(1, path)
    user = path.stat().st_uid
    path.chmod(0o640)
    as_root(mg.save, 2, path)
    assert mg.load(path) == 2
    assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (user, 0o640)


def test_a_folder_in_which_nothing_can_be_made(folder: Path) -> None:
    path = folder / "x.pt"
    mg.save([1] * 1000, path)
    folder.chmod(0o555)
    try:
        with pytest.warns(UserWarning, match="overwritten where it stands, because nothing can be made in its folder: a crash"):
            mg.save(2, path)
        assert mg.load(path) == 2
        with pytest.raises(PermissionError):
            mg.save(2, folder / "new.pt")
    finally:
        folder.chmod(0o755)


def test_hard_links_keep_showing_the_same_file(folder: Path) -> None:
    path, other = folder / "x.pt", folder / "other.pt"
    mg.save([1] * 1000, path)
    other.hardlink_to(path)
    with pytest.warns(UserWarning, match="hard links"):
        mg.save(2, path)
    assert mg.load(other) == 2
    assert sorted(os.listdir(folder)) == ["other.pt", "x.pt"]


def test_a_named_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit((folder / "pipe").read_bytes)
        mg.save({"x": mg.arange(3.0)}, folder / "pipe")
        data = reader.result()
    (folder / "x.pt").write_bytes(data)
    assert mg.load(folder / "x.pt")["x"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
@pytest.mark.parametrize("to", ["pipe", "file"])
def test_standard_output(name: str, to: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"import minigrad as mg; mg.save([1, 2], {name!r})"]
    path = tmp_path / "x.pt"
    if to == "file":
        with open(path, "wb") as file:
            subprocess.run(command, stdout=file, check=True)
            assert os.path.sameopenfile(file.fileno(), os.open(path, os.O_RDONLY))  # not another of the same name
    else:
        path.write_bytes(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    assert mg.load(path) == [1, 2]


def test_names_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for path, what in {"": "empty", str(tmp_path / "loop"): "symbolic links", str(tmp_path / "no" / "x"): "does not exist"}.items():
        with pytest.raises(RuntimeError, match=what):
            mg.save(1, path)
    assert (tmp_path / "loop").is_symlink()
    assert os.listdir(tmp_path) == ["loop"]


KILLED = """
import sys, time
from minigrad.serialization.replacing import replacing
with replacing(sys.argv[1]) as part, open(part, "wb") as file:
    file.write(b"half")
    print(flush=True)
    time.sleep(60)
"""


def test_what_killed_writers_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    def writer(name: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", KILLED, tmp_path / name], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    killed, alive, other = writer("x.pt"), writer("x.pt"), writer("y.pt")
    for process in (killed, other):
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(os.listdir(tmp_path)) == 3
    mg.save(1, tmp_path / "x.pt")
    left = sorted(os.listdir(tmp_path))  # of the one that still writes, and of another name
    assert [name[:6] for name in left] == [".x.pt.", ".y.pt.", "x.pt"]
    alive.terminate()
    alive.wait()
    mg.save(2, tmp_path / "x.pt")
    mg.save(3, tmp_path / "y.pt")
    assert sorted(os.listdir(tmp_path)) == ["x.pt", "y.pt"]
    for process in (killed, alive, other):
        process.stdout.close()  # type: ignore[union-attr]


def test_many_writers_of_one_name_do_not_take_each_others_files_away(tmp_path: Path) -> None:
    code = "import sys, minigrad as mg\nfor i in range(100): mg.save([i] * 100, sys.argv[1])"
    path = tmp_path / "x.pt"
    processes = [subprocess.Popen([sys.executable, "-c", code, path]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert len(mg.load(path)) == 100
    assert os.listdir(tmp_path) == ["x.pt"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with replacing(tmp_path / "x") as part:
            Path(part).write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert os.listdir(tmp_path) == []


def test_saving_again_and_again_leaves_nothing_behind(tmp_path: Path) -> None:
    """A program that saves each minute, for an hour: files, descriptors, memory."""
    state = {"x": mg.ones(1000)}
    before = len(os.listdir("/proc/self/fd"))
    for i in range(60):
        mg.save(state | {"i": i}, tmp_path / "x.pt")
        assert mg.load(tmp_path / "x.pt", mmap=i % 2 == 0)["i"] == i
    assert os.listdir(tmp_path) == ["x.pt"]
    assert len(os.listdir("/proc/self/fd")) <= before
