"""`replacing` writes files that are either whole or absent, whatever goes wrong while they are written."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

try:
    import fcntl
except ImportError:  # Windows, where no file that somebody has open can be removed
    fcntl = None  # type: ignore[assignment]

_DIRECTLY = ("/dev/std", "/dev/fd/", "/proc/")  # what is open already, whatever name it has elsewhere


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[str]:
    """Give the name of a new file to be written; when all went well it takes the place of `path`, all at once.

    Whatever breaks in the middle leaves the old file as it was. A killed process leaves its unfinished file, named
    ``.name.0123456789abcdef.part``; the next call for the same name removes it. What cannot be replaced without losing its
    other names (hard links) or its owner, or stands in a folder in which nothing can be made, is overwritten from a finished copy,
    with a warning. Devices and pipes are written directly.

    Raises
    ------
    RuntimeError
        If the folder does not exist, or the file is none that can be written.
    """
    given = os.fspath(path)
    old = _stat(given)
    if (old is not None and not stat.S_ISREG(old.st_mode)) or os.path.abspath(given).startswith(_DIRECTLY):
        yield given
        return
    path = os.path.realpath(given)  # the file that a link shows is replaced, not the link
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    if old is not None and not _writable(path):
        raise RuntimeError(f"cannot write {given!r}: Permission denied")
    in_folder = old is None or _writable(folder)
    with _part(folder if in_folder else tempfile.gettempdir(), name) as part:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())  # or the new name could outlive a power cut, and the bytes not
        obstacle = None if old is None else _obstacle(old, part) if in_folder else "nothing can be made in its folder"
        if obstacle is None:
            os.replace(part, path)
            return
        text = f"{given} is overwritten where it stands, because {obstacle}: a crash at this moment may tear it"
        warnings.warn(text, stacklevel=4)
        with open(part, "rb") as new, open(path, "rb+") as file:
            shutil.copyfileobj(new, file)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())


def _stat(path: str) -> os.stat_result | None:
    """What is under the name; None if nothing is."""
    if not path:
        raise RuntimeError("cannot write '': the name of the file is empty")
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:  # a loop of links, for example
        raise RuntimeError(f"cannot write {path!r}: {error.strerror}") from None
    if stat.S_ISDIR(found.st_mode):
        raise RuntimeError(f"cannot write {path!r}: Is a directory")
    return found


def _writable(path: str) -> bool:
    mode = os.W_OK | os.X_OK if os.path.isdir(path) else os.W_OK
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _obstacle(old: os.stat_result, part: str) -> str | None:
    """Give the new file the owner and the mode of the old one; what speaks against its taking that one's place, if anything."""
    if old.st_nlink > 1:
        return "it has other names (hard links)"
    new = os.stat(part)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.chown(part, old.st_uid, old.st_gid)
        except OSError:
            return "it belongs to somebody else"
    os.chmod(part, stat.S_IMODE(old.st_mode))
    return None


@contextmanager
def _part(folder: str, name: str) -> Iterator[str]:
    """A new file, locked as long as this process writes it, and gone afterwards; those that nobody writes any more go, too."""
    start = f".{name[:40]}."
    with suppress(OSError), os.scandir(folder) as entries:  # a folder may be writable, but not readable
        for entry in entries:
            if entry.name.startswith(start) and re.fullmatch(r"[0-9a-f]{16}\.part", entry.name[len(start) :]):
                _remove_if_left(entry.path)
    while True:
        part = os.path.join(folder, f"{start}{os.urandom(8).hex()}.part")
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o666)
        if fcntl is None:
            os.close(descriptor)
            break
        with suppress(OSError):  # file systems without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.path.exists(part):  # nobody took it to be left before it was locked
            break
        os.close(descriptor)
    try:
        yield part
    finally:
        with suppress(FileNotFoundError):
            os.remove(part)
        if fcntl is not None:
            os.close(descriptor)


def _remove_if_left(part: str) -> None:
    with suppress(OSError):
        if fcntl is None:
            os.remove(part)
            return
        with open(part, "rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # or an error: its writer lives
            os.remove(part)
