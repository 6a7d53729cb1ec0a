"""Fetch a data file once, so that the file under its final name is always whole and verified."""

import contextlib
import datetime
import email.utils
import os
import re
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
"""Seconds to wait before the second try, doubled before each further one; a server may ask for more (Retry-After)."""

LONGEST_PAUSE = 60
"""Seconds beyond which no server is waited for."""

PASSING = (408, 429, 500, 502, 503, 504)
"""HTTP statuses of a server that is busy, or about to come back."""

TIMEOUT = 30
"""Seconds without a byte after which a connection counts as broken."""

MAX_BYTES = 256 * 2**20
"""More than this is not stored."""

BREAKS = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError, requests.exceptions.InvalidHeader)


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
    except DataError:
        raise
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
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
    """Fill `part` from the address, in several tries if need be; None if that went well, else what was wrong."""
    source, refused = _Source(url, show), False
    for number in range(TRIES):
        pause = PAUSE * 2**number
        try:
            with open(part, "ab" if source.pieces else "wb") as file:
                source.append_to(file)
            verify(part)
            return None
        except BREAKS as error:
            failure = _reason(error)
        except requests.HTTPError as error:
            failure = _reason(error)
            if error.response.status_code not in PASSING:
                return failure
            pause = max(pause, _asked_pause(error.response))
        except requests.RequestException as error:
            return _reason(error)
        except ValueError as error:
            failure = f"what came is not the expected file, {error}"
            whole = source.pieces <= 1 and source.length is not None  # not cut off unseen, nor pieces of different files
            if whole and refused:
                return failure
            source, refused = _Source(url, show), whole
        if number + 1 < TRIES:
            if pause > LONGEST_PAUSE:
                return f"{failure}, and it asks to wait for {pause:.0f} s"
            time.sleep(pause)
    return failure


class _Source:
    """What an address gives, in one piece or in several.

    Attributes
    ----------
    pieces : int
        How many answers have added to the file.
    length : int or None
        Of the whole content, if the server said it.
    """

    def __init__(self, url: str, show: Callable[..., Any]) -> None:
        self.url, self.show = url, show
        self.pieces = 0
        self.length: int | None = None
        self.version: str | None = None  # what the server calls this content (ETag), or when it was changed

    def append_to(self, file: BinaryIO) -> None:
        """Append what the file lacks; or all of it, if the server knows no ranges or has something else by now."""
        start = file.tell()
        with self._ask(start) as response:
            if start and not self._continues(response, start):
                self._restart(file)
                if response.status_code != 200:
                    return self.append_to(file)
            response.raise_for_status()
            start = file.tell()
            if not self.pieces:
                stated = response.headers.get("Content-Length", "")
                self.length = int(stated) if stated.isdecimal() else None
                self.version = response.headers.get("ETag") or response.headers.get("Last-Modified")
            # Many servers call a stored .gz file an encoding of what is in it; it is wanted as it is stored.
            response.raw.headers.pop("Content-Encoding", None)
            with self.show(total=self.length, initial=start) as bar:
                for chunk in response.iter_content(2**14):
                    if file.tell() == start:
                        self.pieces += 1
                    if file.tell() + len(chunk) > MAX_BYTES:
                        raise requests.RequestException(f"it has more than {MAX_BYTES} bytes")
                    file.write(chunk)
                    bar.update(len(chunk))
        return None

    def _ask(self, start: int) -> requests.Response:
        # The bytes as they are stored, not compressed for the way: only then do offsets in the two mean the same.
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        return requests.get(self.url, headers=headers, stream=True, timeout=TIMEOUT)

    def _continues(self, response: requests.Response, start: int) -> bool:
        """Whether the answer is the rest of the same content. A server that fails for a while has not said anything about it."""
        if response.status_code in PASSING:
            return True
        said = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        version = response.headers.get("ETag") or response.headers.get("Last-Modified")
        return (response.status_code == 206 and said is not None and int(said[1]) == start and version == self.version
                and (self.length is None or said[2] in ("*", str(self.length))))

    def _restart(self, file: BinaryIO) -> None:
        file.seek(0)
        file.truncate()
        self.pieces, self.length, self.version = 0, None, None


def _asked_pause(response: requests.Response) -> float:
    """How many seconds the server asks to wait: a number, or a date."""
    asked = response.headers.get("Retry-After", "")
    if asked.isdecimal():
        return float(asked)
    try:
        date = email.utils.parsedate_to_datetime(asked)
    except ValueError:
        return 0.0
    return (date - datetime.datetime.now(date.tzinfo)).total_seconds()


def _reason(error: requests.RequestException) -> str:
    """Why a request failed, in a few words: the library's own texts are nested exceptions."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer for {TIMEOUT} s"
    if isinstance(error, BREAKS):
        return f"no connection, or it kept breaking ({type(error).__name__})"
    return str(error)
