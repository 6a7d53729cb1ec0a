"""Fetch a data file once, so that the file under its final name is always whole and verified."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import requests
from tqdm import tqdm

from minigrad.serialization.replacing import replacing

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

TRIES = 4
"""How often one address is tried; after a break the next try goes on where the last one stopped."""

PAUSE = 0.5
"""Seconds to wait before the second try, doubled before each further one."""

TIMEOUT = 30
"""Seconds without a byte after which a connection counts as broken."""

MAX_BYTES = 256 * 2**20
"""More than this is not stored."""

BREAKS = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class DataError(RuntimeError):
    """A data set cannot be had; the message says which file or address, why, and what to do."""


def fetch(urls: Sequence[str], destination: Path, verify: Callable[[Path], object], *, progress: bool = True) -> None:
    """Download `destination`, unless it is there, from the first of `urls` that gives a file which `verify` accepts.

    Neither a break nor a second process that does the same can leave half a file behind under its name (see `replacing`). Of
    several processes that want the same file at once, one downloads it, and the others wait and find it there.

    Parameters
    ----------
    urls : mirrors of the same file, tried in this order.
    destination : where the file goes; missing folders are made.
    verify : called with the path of the downloaded file; raises ValueError with the reason to refuse it.
    progress : show a bar on stderr.

    Raises
    ------
    DataError : if no address gives an acceptable file, or the folder cannot be written to.
    """
    show = partial(tqdm, desc=destination.name, unit="B", unit_scale=True, disable=not progress)
    failures = []
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(destination.parent):
            if destination.exists():
                return
            with replacing(destination) as part:
                for url in urls:
                    failure = _failure(url, Path(part), verify, show)
                    if failure is None:
                        return
                    failures.append(f"{url}: {failure}")
                reasons = "; ".join(failures) or "no address was given"
                raise DataError(f"could not download {destination.name} ({reasons}): check the network and try again, or put the "
                                f"file at {destination} yourself")
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"cannot write {destination} ({reason}): name another folder in MINIGRAD_DATA, or as root=") from error


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait for other processes that are in here with the same folder; where the system cannot lock folders, don't."""
    number = os.open(folder, os.O_RDONLY) if fcntl else -1
    try:
        if fcntl:
            with contextlib.suppress(OSError):
                fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        if fcntl:
            os.close(number)  # which unlocks it


def _failure(url: str, part: Path, verify: Callable[[Path], object], show: Callable[..., Any]) -> str | None:
    """Fill `part` from the address; None if that went well, else what was wrong."""
    try:
        with open(part, "wb") as file:
            _fill(file, url, show)
        verify(part)
    except requests.RequestException as error:
        return _reason(error)
    except ValueError as error:
        return f"what came is not the expected file, {error}"
    return None


def _fill(file: BinaryIO, url: str, show: Callable[..., Any]) -> None:
    """Write what `url` gives to `file`, in several goes if the connection breaks."""
    for number in range(1, TRIES):
        try:
            return _receive(file, url, show)
        except BREAKS:
            time.sleep(PAUSE * 2 ** (number - 1))
    return _receive(file, url, show)


def _receive(file: BinaryIO, url: str, show: Callable[..., Any]) -> None:
    """Append to `file` what it lacks of `url`'s content, or all of it where the server knows no ranges."""
    # The bytes as they are stored, not compressed for the way: only then do offsets in the two mean the same.
    headers = {"Accept-Encoding": "identity"}
    if start := file.tell():
        headers["Range"] = f"bytes={start}-"
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        response.raise_for_status()
        if not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            start = 0
            file.seek(0)
            file.truncate()
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdecimal() else None
        with show(total=total, initial=start) as bar:
            for chunk in response.iter_content(2**14):
                if file.tell() + len(chunk) > MAX_BYTES:
                    raise ValueError(f"it has more than {MAX_BYTES} bytes")
                file.write(chunk)
                bar.update(len(chunk))


def _reason(error: requests.RequestException) -> str:
    """Why a request failed, in a few words: the library's own texts are nested exceptions."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer for {TIMEOUT} s"
    if isinstance(error, BREAKS):
        return f"no connection, or it kept breaking ({type(error).__name__})"
    return str(error)
