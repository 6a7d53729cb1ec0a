"""Fetch a data file once, so that the file under its final name is always whole and verified."""

import os
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import requests
from tqdm import tqdm

TRIES = 4
"""How often one address is tried; after a break the next try goes on where the last one stopped."""

PAUSE = 0.5
"""Seconds to wait before the second try, doubled before each further one."""

TIMEOUT = 30
"""Seconds without a byte after which a connection counts as broken."""

BREAKS = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class DataError(RuntimeError):
    """A data set cannot be had; the message says which file or address, why, and what to do."""


def fetch(urls: Sequence[str], destination: Path, verify: Callable[[Path], object], *, progress: bool = True,
          max_bytes: int = 256 * 2**20) -> None:  # fmt: skip
    """Download `destination` from the first of `urls` that gives a file which `verify` accepts.

    The bytes go to a hidden file beside `destination`, which is renamed at the very end and removed if anything fails:
    neither a break nor a second process that does the same can leave half a file behind under the final name.

    Parameters
    ----------
    urls : mirrors of the same file, tried in this order.
    destination : where the file goes; missing folders are made.
    verify : called with the path of the downloaded file; raises ValueError with the reason to refuse it.
    progress : show a bar on stderr.
    max_bytes : refuse to store more than this.

    Raises
    ------
    DataError : if no address gives an acceptable file, or the folder cannot be written to.
    """
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        part = destination.with_name(f".{destination.name}.{uuid.uuid4().hex}.part")
        try:
            failures = _try_each(urls, part, destination.name, verify, progress, max_bytes)
            if failures is None:
                os.replace(part, destination)
                return
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"cannot write {destination} ({reason}): name another folder in MINIGRAD_DATA, or as root=") from error
    raise DataError(f"could not download {destination.name} ({'; '.join(failures)}): check the network and try again, or put the "
                    f"file at {destination} yourself")


def _try_each(urls: Sequence[str], part: Path, name: str, verify: Callable[[Path], object], progress: bool,
              max_bytes: int) -> list[str] | None:  # fmt: skip
    """Fill `part` from the first address that does; None if one did, else what was wrong with each."""
    failures = []
    for url in urls:
        try:
            with open(part, "wb") as file:
                _fill(file, url, name, progress, max_bytes)
            verify(part)
            return None
        except requests.RequestException as error:
            failures.append(f"{url}: {_reason(error)}")
        except ValueError as error:
            failures.append(f"{url}: what came is not the expected file, {error}")
    return failures or ["no address was given"]


def _fill(file: BinaryIO, url: str, name: str, progress: bool, max_bytes: int) -> None:
    """Write what `url` gives to `file`, in several goes if the connection breaks."""
    for number in range(1, TRIES):
        try:
            return _receive(file, url, name, progress, max_bytes)
        except BREAKS:
            time.sleep(PAUSE * 2 ** (number - 1))
    return _receive(file, url, name, progress, max_bytes)


def _receive(file: BinaryIO, url: str, name: str, progress: bool, max_bytes: int) -> None:
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
        with tqdm(total=total, initial=start, desc=name, unit="B", unit_scale=True, disable=not progress) as bar:
            for chunk in response.iter_content(2**14):
                if file.tell() + len(chunk) > max_bytes:
                    raise ValueError(f"it has more than {max_bytes} bytes")
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
