"""The embedded digits, and MNIST's way from a server into the data folder: whole, or not at all."""

import datetime
import email.utils
import gzip
import hashlib
import http.server
import os
import pickle
import socket
import sys
import tarfile
import threading
import tracemalloc
import types
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from minigrad.utils.data import DataLoader
from minigrad.vision import datasets, download
from minigrad.vision.datasets import (
    EMNIST,
    KMNIST,
    MNIST,
    STL10,
    SVHN,
    DataError,
    FashionMNIST,
    content_digest,
    load_digits,
    load_mnist,
    mnist,
)  # fmt: skip
from minigrad.vision.make_digits import make_digits
from minigrad.vision.transforms import Compose, Lambda, ToTensor

# A set in MNIST's form: the pixels random, so that it fills several of the chunks in which files are received.
RNG = np.random.default_rng(0)
SPLITS = tuple(
    ((RNG.integers(0, 256, (n, 784)) / 256).astype(np.float32), RNG.integers(0, 10, n)) for n in (100, 10, 20)
)
DIGEST = content_digest(SPLITS)  # type: ignore[arg-type]
PACKED = gzip.compress(pickle.dumps(SPLITS, 4))
UNBUILT_PAIR = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nNN\x87Rq\0h\0\x86"  # arrays without a state
CORRUPT = PACKED[:5000] + b"oops" + PACKED[5004:]


Answer = tuple[int, dict[str, str], bytes]  # status, headers and content


class Server(http.server.ThreadingHTTPServer):
    """Serves PACKED under any path; the path says what goes wrong on the way. Notes the ranges it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = {
            "hostile": b"",
            "corrupt": PACKED[:5000] + b"oops" + PACKED[5004:],
            "half": PACKED[: len(PACKED) // 2],
        }
        self.asked: list[tuple[str, str | None]] = []
        self.answered: Callable[[int], Answer | None] = lambda number: None
        self.lock = threading.Lock()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        kind = self.path.strip("/")
        wanted = self.headers["Range"]
        with self.server.lock:
            self.server.asked.append((kind, wanted))
            number = len(self.server.asked)
        if kind.startswith("missing"):
            return self.send_error(404)
        content = self.server.content.get(kind, PACKED)
        answer = self.server.answered(number)
        if answer is not None:
            self.send_response(answer[0])
            for name, value in answer[1].items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer[2])
            return None
        start = 0
        if wanted and "deaf" not in kind:  # a deaf server knows no ranges
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if kind == "squeezing" and "gzip" in self.headers["Accept-Encoding"]:
            self.send_header("Content-Encoding", "gzip")  # as some servers mark every .gz file
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if "always-cut" in kind:
            end = start + len(content) // 3
        elif "cut" in kind and number == 1:
            end = len(content) // 2
        else:
            end = len(content)
        self.wfile.write(content[start:end])
        return None

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "PAUSE", 0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


Fetch = Callable[..., datasets.Splits]


@pytest.fixture
def fetch(server: Server, tmp_path: Path) -> Fetch:
    """load_mnist into tmp_path / "data", from the server's given paths."""

    def call(*paths: str, digest: str = DIGEST, progress: bool = False) -> datasets.Splits:
        urls = [server.url(path) for path in paths]
        return load_mnist(tmp_path / "data", progress=progress, urls=urls, digest=digest)

    return call


def assert_is_the_set(splits: datasets.Splits) -> None:
    for (x, y), (x_true, y_true) in zip(splits, SPLITS, strict=True):
        assert (x.dtype, y.dtype) == (np.float32, np.int64)
        np.testing.assert_array_equal(x, x_true)
        np.testing.assert_array_equal(y, y_true)


# --- the embedded sample --------------------------------------------------------------------------------------------


def test_embedded_digits_are_the_first_of_mnist() -> None:
    splits = load_digits()
    assert [(x.shape, y.shape) for x, y in splits] == [
        ((10_000, 784), (10_000,)),
        ((2_000, 784), (2_000,)),
        ((2_000, 784), (2_000,)),
    ]
    (x_train, y_train), (_, y_valid), (_, y_test) = splits
    # Public facts: how MNIST's parts begin, and that the first image is LeCun's 5.
    assert y_train[:20].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4, 3, 5, 3, 6, 1, 7, 2, 8, 6, 9]
    assert y_valid[:10].tolist() == [3, 8, 6, 9, 6, 4, 5, 3, 8, 4]
    assert y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    row = [3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127]  # the top stroke of that 5
    assert (x_train[0].reshape(28, 28)[5, 12:24] * 256).tolist() == row
    for x, y in splits:
        assert (x.dtype, y.dtype) == (np.float32, np.int64)
        assert x.min() == 0
        assert x.max() == 255 / 256
        assert np.bincount(y, minlength=10).min() > 170  # unsorted, and every digit is there
        assert x.flags.writeable


def test_the_sample_is_made_from_the_first_of_each_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minigrad.vision.make_digits.COUNTS", {"train": 60, "valid": 5, "test": 7})
    (tmp_path / "mnist.pkl.gz").write_bytes(PACKED)
    for name in ("one.npz", "two.npz"):
        make_digits(tmp_path / "mnist.pkl.gz", tmp_path / name, DIGEST)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with np.load(tmp_path / "one.npz") as stored:
        for name, count, (x, y) in zip(("train", "valid", "test"), (60, 5, 7), SPLITS, strict=True):
            assert stored[f"x_{name}"].dtype == np.uint8
            np.testing.assert_array_equal(stored[f"x_{name}"] / np.float32(256), x[:count])
            np.testing.assert_array_equal(stored[f"y_{name}"], y[:count])


def test_the_digest_knows_every_pixel_label_and_shape_but_no_byte_order() -> None:
    (x, y), *rest = SPLITS
    assert content_digest(((x.astype(">f4"), y.astype(np.int32)), *rest)) == DIGEST  # type: ignore[arg-type]
    pixel, label = x.copy(), y.copy()
    pixel[-1, -1] += 2**-20
    label[-1] += 1
    for other in [(pixel, y), (x, label), (x.reshape(200, 392), y), (np.asfortranarray(x).T, y)]:
        assert content_digest((other, *rest)) != DIGEST  # type: ignore[arg-type]


# --- from the server ------------------------------------------------------------------------------------------------


def test_whole_file_is_fetched_once(fetch: Fetch, server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        assert_is_the_set(fetch("whole"))
    assert server.asked == [("whole", None)]
    assert os.listdir(tmp_path / "data") == ["mnist.pkl.gz"]
    assert (tmp_path / "data" / "mnist.pkl.gz").read_bytes() == PACKED


@pytest.mark.parametrize("protocol", [1, 2, 3, 4])
def test_any_protocol_compression_and_dtype_is_the_same_set(
    fetch: Fetch, server: Server, tmp_path: Path, protocol: int
) -> None:
    stored = tuple((x.astype(np.float64), y.astype(">i2")) for x, y in SPLITS)
    server.content["one"] = gzip.compress(pickle.dumps(SPLITS, protocol), 1)
    server.content["two"] = gzip.compress(pickle.dumps(stored, protocol), 9)
    assert_is_the_set(fetch("one"))
    (tmp_path / "data" / "mnist.pkl.gz").unlink()
    assert_is_the_set(fetch("two"))


def assert_went_on_after_the_break(asked: list[tuple[str, str | None]]) -> None:
    (_, first), (_, second) = asked
    assert first is None
    assert second is not None
    start = int(second.removeprefix("bytes=").removesuffix("-"))
    assert len(PACKED) // 2 - 2**14 < start <= len(PACKED) // 2  # at most the chunk that broke is fetched again


def test_a_download_that_breaks_is_resumed(fetch: Fetch, server: Server, tmp_path: Path) -> None:
    assert_is_the_set(fetch("cut"))
    assert_went_on_after_the_break(server.asked)
    assert os.listdir(tmp_path / "data") == ["mnist.pkl.gz"]


def test_a_download_that_breaks_is_restarted_where_the_server_knows_no_ranges(fetch: Fetch, server: Server) -> None:
    assert_is_the_set(fetch("deaf-cut"))
    assert_went_on_after_the_break(server.asked)


def test_the_file_is_asked_for_as_it_is_stored(fetch: Fetch, tmp_path: Path) -> None:
    assert_is_the_set(fetch("squeezing"))
    assert (tmp_path / "data" / "mnist.pkl.gz").read_bytes() == PACKED


def test_a_download_that_always_breaks_is_given_up(fetch: Fetch, server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"deaf-always-cut: no connection, or it kept breaking"):
        fetch("deaf-always-cut")
    assert len(server.asked) == download.TRIES
    assert os.listdir(tmp_path / "data") == []


@pytest.mark.parametrize("asked", ["7", "date", "3600", "nonsense"])
def test_a_busy_server_says_how_long_to_wait(fetch: Fetch, server: Server, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(download.time, "sleep", pauses.append)
    date = email.utils.format_datetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=30), usegmt=True)
    server.answered = lambda number: (429, {"Retry-After": date if asked == "date" else asked}, b"") if number == 1 else None
    if asked == "3600":
        with pytest.raises(DataError, match=r"HTTP status 429 Too Many Requests, and it asks to wait for 3600 s"):
            fetch("x")
        assert pauses == []
        return
    assert_is_the_set(fetch("x"))
    (pause,) = pauses
    assert {"7": pause == 7, "date": 25 < pause <= 30, "nonsense": pause == 0}[asked]


def test_the_next_mirror_is_asked_and_nothing_of_the_first_is_kept(fetch: Fetch, server: Server) -> None:
    assert_is_the_set(fetch("missing", "half", "corrupt", "deaf-always-cut", "whole"))
    assert server.asked[-1] == ("whole", None)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing", r"missing: HTTP status 404 Not Found"),
        ("half", r"half: what came is not the expected file, it is not a whole gzip file \(Compressed file ended"),
        ("corrupt", r"corrupt: what came is not the expected file, it is not a whole gzip file \("),
        ("hostile", r"hostile: what came is not the expected file, refused pickle: it names '\w+.mkdir'"),
        ("page", r"page: what came is not the expected file, it is not a whole gzip file \(Not a gzipped file"),
        ("bomb", r"bomb: what came is not the expected file, it unpacks to more than 500000 bytes"),
        ("number", r"number: what came is not the expected file, it does not hold three pairs of arrays"),
        ("unbuilt", r"unbuilt: what came is not the expected file, it does not hold three pairs of arrays"),
        ("empty", r"empty: what came is not the expected file, refused pickle: it is not well-formed"),
    ],
)
def test_what_is_not_the_set_never_gets_its_name(
    fetch: Fetch, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, reason: str
) -> None:
    class Hostile:
        def __reduce__(self) -> object:
            return os.mkdir, (str(tmp_path / "made"),)

    monkeypatch.setattr(mnist, "MAX_UNPACKED", 500_000)
    server.content |= {
        "hostile": gzip.compress(pickle.dumps((SPLITS[1], Hostile()), 4)),
        "page": b"<!DOCTYPE html><title>Log in</title>",
        "bomb": gzip.compress(b"\0" * 500_001),
        "number": gzip.compress(pickle.dumps(((1, 2), (3, 4), (5, 6)), 4)),
        "unbuilt": gzip.compress(b"(" + UNBUILT_PAIR * 3 + b"t."),
        "empty": b"",
    }
    with pytest.raises(DataError, match=reason) as caught:
        fetch(path)
    assert set(server.asked) == {(path, None)}  # from its beginning
    assert len(server.asked) == (1 if path == "missing" else 2)  # what came whole is asked for once more
    assert str(caught.value).startswith("could not download mnist.pkl.gz (http://127.0.0.1:")
    assert str(caught.value).endswith(f"or put the file at {tmp_path / 'data' / 'mnist.pkl.gz'} yourself")
    assert os.listdir(tmp_path / "data") == []
    assert not (tmp_path / "made").exists()


def test_true_arrays_with_another_content_are_refused(fetch: Fetch, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"its content has the digest {DIGEST} instead of {datasets.MNIST_DIGEST}"):
        fetch("whole", digest=datasets.MNIST_DIGEST)
    assert os.listdir(tmp_path / "data") == []


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE", 0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as unused:  # bound but not listening: connections are refused
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/mnist.pkl.gz"
        with pytest.raises(DataError, match=rf"{url}: no connection.*check the network") as caught:
            load_mnist(tmp_path, progress=False, urls=[url])
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_a_wrong_address_is_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: Invalid URL 'nowhere': No scheme supplied"):
        load_mnist(tmp_path, progress=False, urls=["nowhere"])
    with pytest.raises(DataError, match="no address was given"):
        load_mnist(tmp_path, progress=False, urls=[])


def test_a_server_that_never_ends_does_not_fill_the_disk(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 50_000)
    with pytest.raises(DataError, match="it has more than 50000 bytes"):
        download.fetch([server.url("whole")], tmp_path / "file", str, progress=False)
    assert os.listdir(tmp_path) == []


def test_the_final_name_appears_only_after_verification(server: Server, tmp_path: Path) -> None:
    def verify(path: Path) -> None:
        assert path.read_bytes() == PACKED
        assert not (tmp_path / "file").exists()

    download.fetch([server.url("whole")], tmp_path / "file", verify, progress=False)
    assert (tmp_path / "file").read_bytes() == PACKED


def test_of_several_at_once_one_downloads_and_the_others_wait(fetch: Fetch, server: Server, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        for splits in pool.map(fetch, ["whole"] * 4):
            assert_is_the_set(splits)
    assert os.listdir(tmp_path / "data") == ["mnist.pkl.gz"]
    assert server.asked == [("whole", None)]


def test_progress_bar_on_stderr_and_silence_without(
    fetch: Fetch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch("whole", progress=False)
    assert capsys.readouterr() == ("", "")
    (tmp_path / "data" / "mnist.pkl.gz").unlink()
    fetch("whole", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "mnist.pkl.gz: 100%" in err


# --- the data folder ------------------------------------------------------------------------------------------------


def test_the_folder_is_root_then_MINIGRAD_DATA_then_the_users_cache(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(**options: object) -> None:
        load_mnist(progress=False, urls=[server.url("whole")], digest=DIGEST, **options)  # type: ignore[arg-type]

    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    load()
    assert (tmp_path / "home" / ".cache" / "minigrad" / "mnist.pkl.gz").exists()
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "named"))
    load()
    assert (tmp_path / "named" / "mnist.pkl.gz").exists()
    load(root="~/given")
    assert (tmp_path / "home" / "given" / "mnist.pkl.gz").exists()


def test_without_download_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"^there is no {tmp_path}/mnist.pkl.gz: put it there, or let download=True fetch it$"):
        load_mnist(tmp_path, download=False)


@pytest.mark.parametrize("content", [b"", PACKED[:-1000], CORRUPT, PACKED[:10] + b"\xff" * 99, b"no gzip"])
def test_a_damaged_file_in_the_folder_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mnist.pkl.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"^{path} is damaged, .*: delete it, and it will be downloaded again$"):
        load_mnist(tmp_path, digest=DIGEST)
    assert path.read_bytes() == content


def test_a_bomb_is_not_unpacked_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "MAX_UNPACKED", 10**6)
    (tmp_path / "mnist.pkl.gz").write_bytes(gzip.compress(b"\0" * 10**8, 1))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="it unpacks to more than 1000000 bytes"):
            load_mnist(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()


def test_a_folder_that_is_none_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=rf"^cannot write {tmp_path}/file/mnist.pkl.gz \(File exists\): name another"):
        load_mnist(tmp_path / "file", progress=False, urls=[server.url("whole")])
    (tmp_path / "mnist.pkl.gz").mkdir()
    with pytest.raises(DataError, match=rf"^cannot read {tmp_path}/mnist.pkl.gz \(Is a directory\): make it readable"):
        load_mnist(tmp_path)


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal is put in by hand, where the operating system's would come from."""
    (tmp_path / "mnist.pkl.gz").write_bytes(PACKED)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(gzip, "open", refuse)
    with pytest.raises(DataError, match=rf"^cannot read {tmp_path}/mnist.pkl.gz \(Permission denied\): make it"):
        load_mnist(tmp_path)


# --- single images, as torchvision gives them ------------------------------------------------------------------------


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in the form of MNIST's files."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


(X_TRAIN, Y_TRAIN), _, (X_TEST, Y_TEST) = (
    ((x[:20] * 256).astype(np.uint8).reshape(-1, 28, 28), y[:20].astype(np.uint8)) for x, y in load_digits()
)
FILES = {
    "train-images-idx3-ubyte": idx(X_TRAIN),
    "train-labels-idx1-ubyte": idx(Y_TRAIN),
    "t10k-images-idx3-ubyte": idx(X_TEST[:10]),
    "t10k-labels-idx1-ubyte": idx(Y_TEST[:10]),
}
SMALL_DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


@pytest.fixture
def small(server: Server, monkeypatch: pytest.MonkeyPatch) -> type[MNIST]:
    """MNIST, but with twenty images to train on and ten to test on, which our server has."""
    server.content |= {f"{name}.gz": gzip.compress(content) for name, content in FILES.items()}
    monkeypatch.setattr(MNIST, "mirrors", [server.url("")])
    monkeypatch.setattr(MNIST, "digests", SMALL_DIGESTS)
    return MNIST


def test_mnist_is_fetched_once_and_read(small: type[MNIST], server: Server, tmp_path: Path) -> None:
    train = small(tmp_path, download=True)
    test = small(str(tmp_path), train=False, download=True)
    assert [path for path, _ in server.asked] == [f"{name}.gz" for name in FILES]
    assert sorted(os.listdir(tmp_path / "MNIST" / "raw")) == sorted(f"{name}.gz" for name in FILES)
    for ds, x, y in ((train, X_TRAIN, Y_TRAIN), (test, X_TEST[:10], Y_TEST[:10])):
        assert len(ds) == len(y)
        assert (str(ds.data.dtype), str(ds.targets.dtype)) == ("torch.uint8", "torch.int64")
        np.testing.assert_array_equal(ds.data.numpy(), x)
        np.testing.assert_array_equal(ds.targets.numpy(), y)
        assert ds.class_to_idx["7 - seven"] == 7
        assert len(ds.classes) == 10


def test_mnist_under_its_older_names(small: type[MNIST], tmp_path: Path) -> None:
    ds = small(tmp_path, download=True)
    for old, new in (("train_data", "data"), ("test_data", "data"), ("train_labels", "targets"), ("test_labels", "targets")):
        with pytest.warns(UserWarning, match=f"^{old} has been renamed {new}$") as caught:
            assert getattr(ds, old) is getattr(ds, new)
        assert caught[0].filename == __file__


def test_an_item_is_an_image_and_an_int(small: type[MNIST], tmp_path: Path) -> None:
    ds = small(tmp_path, download=True)
    image, target = ds[3]
    assert type(image) is np.ndarray
    assert (image.dtype, image.shape) == (np.uint8, (28, 28))
    np.testing.assert_array_equal(image, X_TRAIN[3])
    assert type(target) is int
    assert target == Y_TRAIN[3]
    image[:] = 0  # the caller's own
    np.testing.assert_array_equal(ds[3][0], X_TRAIN[3])
    np.testing.assert_array_equal(ds[-1][0], X_TRAIN[-1])
    with pytest.raises(IndexError):
        ds[20]


def negated(target: int) -> int:
    return -target


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_loader_over_transformed_items(small: type[MNIST], tmp_path: Path, num_workers: int) -> None:
    ds = small(tmp_path, transform=ToTensor(), target_transform=negated, download=True)
    batches = list(DataLoader(ds, batch_size=8, num_workers=num_workers))
    assert [tuple(images.shape) for images, _ in batches] == [(8, 1, 28, 28), (8, 1, 28, 28), (4, 1, 28, 28)]
    np.testing.assert_array_equal(batches[2][0].numpy()[:, 0], X_TRAIN[16:].astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(batches[2][1].numpy(), -Y_TRAIN[16:].astype(np.int64))


def test_what_a_dataset_prints(small: type[MNIST], tmp_path: Path) -> None:
    plain = f"Dataset MNIST\n    Number of datapoints: 10\n    Root location: {tmp_path}\n    Split: Test"
    assert repr(small(tmp_path, train=False, download=True)) == plain
    chain = Compose([ToTensor(), Lambda(negated)])
    assert repr(small(tmp_path, False, chain, Lambda(negated))) == (
        plain + "\n    StandardTransform\nTransform: Compose(\n               ToTensor()\n               Lambda()\n"
        "           )\nTarget transform: Lambda()"
    )


def test_without_download_a_missing_file_is_named(small: type[MNIST], server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"^there is no {tmp_path}/MNIST/raw/train-images-idx3-ubyte.gz: put it there"):
        small(tmp_path)
    assert server.asked == []


def test_another_content_is_refused_and_never_gets_the_name(small: type[MNIST], server: Server, tmp_path: Path) -> None:
    server.content["t10k-labels-idx1-ubyte.gz"] = gzip.compress(idx(Y_TEST[1:11]))
    with pytest.raises(DataError, match=r"could not download t10k-labels-idx1-ubyte.gz .* its content has the digest"):
        small(tmp_path, download=True)
    assert len(os.listdir(tmp_path / "MNIST" / "raw")) == 3
    path = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(FILES["train-images-idx3-ubyte"][:-1]))
    with pytest.raises(DataError, match=rf"^{path} is damaged, its content has the digest .*: delete it"):
        small(tmp_path)


def test_the_next_mirror_of_mnist_is_asked(small: type[MNIST], server: Server, tmp_path: Path) -> None:
    small.mirrors = [server.url("missing/"), server.url("")]
    small(tmp_path, download=True)
    assert [path for path, _ in server.asked[:2]] == ["missing/train-images-idx3-ubyte.gz", "train-images-idx3-ubyte.gz"]


def test_fashion_mnist_has_its_own_folder_names_and_digests(tmp_path: Path) -> None:
    assert FashionMNIST.classes[0] == "T-shirt/top"
    assert len(set(FashionMNIST.classes)) == 10
    assert not set(FashionMNIST.digests.values()) & set(MNIST.digests.values())
    assert not set(FashionMNIST.mirrors) & set(MNIST.mirrors)
    with pytest.raises(DataError, match=rf"there is no {tmp_path}/FashionMNIST/raw/t10k-images-idx3-ubyte.gz"):
        FashionMNIST(tmp_path, train=False)


def test_files_that_are_unpacked_already_are_read(small: type[MNIST], server: Server, tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in FILES.items():
        (raw / name).write_bytes(content)
    assert small(tmp_path, download=True).data.tolist() == X_TRAIN.tolist()
    assert server.asked == []
    (raw / "train-images-idx3-ubyte").write_bytes(FILES["train-images-idx3-ubyte"][:-1])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte is damaged, its content has the digest"):
        small(tmp_path)


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def test_kmnist_is_verified_by_its_compressed_files(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = {name: gzip.compress(content) for name, content in FILES.items()}
    server.content |= {f"{name}.gz": content for name, content in packed.items()}
    monkeypatch.setattr(KMNIST, "mirrors", [server.url("")])
    with pytest.raises(DataError, match="instead of bdb82020997e1d708af4cf47b453dcf7"):
        KMNIST(tmp_path, download=True)
    monkeypatch.setattr(KMNIST, "digests", {name: md5(content) for name, content in packed.items()})
    data = KMNIST(tmp_path, train=False, download=True)
    assert (data.data.tolist(), data.classes[1]) == (X_TEST[:10].tolist(), "ki")
    assert (tmp_path / "KMNIST" / "raw" / "t10k-labels-idx1-ubyte.gz").exists()


def test_emnist_is_read_from_its_archive_and_from_what_was_in_it(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
        for name, content in FILES.items():
            inside = name.replace("t10k", "test").replace("train", "letters-train").replace("test", "letters-test")
            archive.writestr(f"gzip/emnist-{inside}.gz", gzip.compress(content))
    server.content["gzip.zip"] = made = (tmp_path / "made.zip").read_bytes()
    monkeypatch.setattr(EMNIST, "mirrors", [server.url("")])
    with pytest.raises(DataError, match="instead of 58c8d27c78d21e728a6bc7b3cc06412e"):
        EMNIST(tmp_path, "letters", download=True)
    monkeypatch.setattr(EMNIST, "md5", md5(made))
    server.asked.clear()
    data = EMNIST(tmp_path, split="letters", train=False, download=True)
    assert (data.data.tolist(), data.targets.tolist()) == (X_TEST[:10].tolist(), Y_TEST[:10].tolist())
    assert (data.classes[:3], len(data.classes), data.class_to_idx["a"]) == (["N/A", "a", "b"], 27, 1)
    assert len(EMNIST(tmp_path, "letters")) == 20
    assert [path for path, _ in server.asked] == ["gzip.zip"]
    with pytest.raises(DataError, match=r"it holds no whole gzip/emnist-digits-train-images-idx3-ubyte\.gz"):
        EMNIST(tmp_path, "digits")
    for name, content in FILES.items():
        inside = name.replace("t10k", "test")
        (tmp_path / "EMNIST" / "raw" / f"emnist-mnist-{inside}").write_bytes(content)
    assert EMNIST(tmp_path, "mnist").data.tolist() == X_TRAIN.tolist()
    (tmp_path / "EMNIST" / "raw" / "emnist-mnist-train-images-idx3-ubyte").write_bytes(FILES["train-images-idx3-ubyte"][:-1])
    with pytest.raises(DataError, match="no whole idx file"):
        EMNIST(tmp_path, "mnist")
    with pytest.raises(ValueError, match="Unknown value 'words' for argument split"):
        EMNIST(tmp_path, "words")
    # as torchvision has them: 62 characters, 47 where letters whose cases look alike are one
    assert [len(EMNIST.classes_split_dict[split]) for split in EMNIST.splits] == [62, 47, 47, 27, 10, 10]


def test_stl10_is_read_from_its_archive_and_from_what_was_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "made" / "stl10_binary"
    folder.mkdir(parents=True)
    counts = {"train": 6, "test": 2, "unlabeled": 3}
    pixels = {name: RNG.integers(0, 256, (count, 3, 96, 96), np.uint8) for name, count in counts.items()}  # columns before rows
    labels = {name: RNG.integers(1, 11, counts[name], np.uint8) for name in ("train", "test")}
    contents = {f"{name}_X.bin": x.tobytes() for name, x in pixels.items()}
    contents |= {f"{name}_y.bin": y.tobytes() for name, y in labels.items()}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "class_names.txt").write_text("airplane\nbird\n")
    (folder / "fold_indices.txt").write_text("0 2 \n5 1 4 \n" * 5)
    with tarfile.open(tmp_path / "stl10_binary.tar.gz", "w:gz") as archive:
        archive.add(folder, "stl10_binary")
    with pytest.raises(DataError, match=r"its train_X.bin has the MD5 .* instead of 918c2871b30a85fa023e0c44e0bee87f"):
        STL10(tmp_path)
    monkeypatch.setattr(STL10, "digests", {name: md5(content) for name, content in contents.items()})
    for root in (tmp_path, folder.parent):
        data = STL10(root)
        image, target = data[3]
        np.testing.assert_array_equal(image, pixels["train"][3].transpose(2, 1, 0))
        assert (target, data.classes, data.data.shape) == (int(labels["train"][3]) - 1, ["airplane", "bird"], (6, 3, 96, 96))
        fold = STL10(root, "train", folds=1)
        np.testing.assert_array_equal(fold.data, data.data[[5, 1, 4]])
        both = STL10(root, split="train+unlabeled", transform=ToTensor())
        assert (len(both), both.labels.tolist()[6:], both[8][0].shape, both[8][1]) == (9, [-1] * 3, (3, 96, 96), -1)
        assert (len(STL10(root, "test")), len(STL10(root, "unlabeled"))) == (2, 3)
    assert "Split: train+unlabeled" in repr(both)
    with pytest.raises(ValueError, match=r"in the range \[0, 10\), but got 10"):
        STL10(tmp_path, folds=10)
    with pytest.raises(ValueError, match="Unknown value 'valid'"):
        STL10(tmp_path, "valid")
    (tmp_path / "stl10_binary.tar.gz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="it is no whole archive"):
        STL10(tmp_path)


def test_svhn_needs_scipy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reader is stood in for: SciPy is not among what the tests install."""
    (tmp_path / "test_32x32.mat").write_bytes(b"made")
    with pytest.raises(DataError, match="instead of eb5a983be6a315427106f1b164d9cef3"):
        SVHN(tmp_path, "test")
    monkeypatch.setattr(SVHN, "digests", {"test": md5(b"made")})
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(ModuleNotFoundError, match="pip install scipy"):
        SVHN(tmp_path, "test")
    pixels = RNG.integers(0, 256, (32, 32, 3, 4), np.uint8)
    scipy = types.ModuleType("scipy")
    scipy.io = types.ModuleType("scipy.io")  # type: ignore[attr-defined]
    scipy.io.loadmat = lambda path: {"X": pixels, "y": np.array([[10], [1], [2], [9]], np.uint8)}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "scipy", scipy)
    monkeypatch.setitem(sys.modules, "scipy.io", scipy.io)  # type: ignore[attr-defined]
    data = SVHN(tmp_path, "test")
    np.testing.assert_array_equal(data[1][0], pixels[..., 1])
    assert (data.labels.tolist(), data[3][1], data.data.shape) == ([0, 1, 2, 9], 9, (4, 3, 32, 32))
    assert "Split: test" in repr(data)
    with pytest.raises(ValueError, match="Unknown value 'train'"):
        SVHN(tmp_path)
