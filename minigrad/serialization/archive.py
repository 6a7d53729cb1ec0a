"""The zip archives in which torch keeps its records.

Such an archive holds its records uncompressed, each in a place of its own; anything else is refused, so what is read
never takes more memory than the file. Names in the archive are looked up, never used as paths.
"""

from __future__ import annotations

import io
import mmap
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import IO, Any, NoReturn

import numpy as np

from minigrad.arrays.dtypes import Array

ALIGNMENT = 64  # records begin at multiples of it, as in torch: so a mapped one can be used where it lies
LARGE = 2**31 - 1  # bytes, beyond which a record needs the longer form of header
SMALL = 2**16  # bytes, up to which the checksums of mapped records are verified, too


def write_archive(file: IO[bytes], records: Iterable[tuple[str, Any]]) -> None:
    """Write records, (name, bytes), as torch lays them out. Nothing but names and bytes goes in: no time, no random id."""
    if not file.seekable():  # a pipe
        buffer = io.BytesIO()
        write_archive(buffer, records)
        file.write(buffer.getbuffer())
        return
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in records:
            info = zipfile.ZipInfo(f"archive/{name}")
            large = len(data) > LARGE
            before = file.tell() + 30 + len(info.filename) + 4 + 20 * large  # the headers, up to the padding
            padding = -before % ALIGNMENT
            info.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
            with archive.open(info, "w", force_zip64=large) as record:
                record.write(data)


class Archive:
    """The records of a zip archive as torch writes it.

    Parameters
    ----------
    file : binary file
        Open for reading, and seekable.
    mapped : bool
        Map the file into memory, instead of reading what is asked for.

    Raises
    ------
    RuntimeError
        If it is no such archive, or damaged; a clause about what "it" is.
    """

    def __init__(self, file: IO[bytes], mapped: bool = False) -> None:
        self.file = file
        try:
            with zipfile.ZipFile(file) as archive:
                self.places = self._places(archive.infolist(), archive.start_dir)
            self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) if mapped else None
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, OSError, struct.error) as error:
            self._refuse(f"is no whole zip archive ({error})")

    def _places(self, entries: list[zipfile.ZipInfo], end: int) -> dict[str, tuple[int, int, int]]:
        """Name -> (first byte, number of bytes, checksum) of each record."""
        places: dict[str, tuple[int, int, int]] = {}
        free = 0
        for entry in sorted(entries, key=lambda entry: entry.header_offset):
            name = entry.filename.partition("/")[2]  # without the folder, which is the archive's own name
            what = f"has a record {name[:80]!r} that"
            if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size or entry.flag_bits & 1:
                self._refuse(f"{what} is compressed or encrypted")
            if name in places or ".." in name.split("/"):
                self._refuse(f"{what} occurs twice or goes up in the folders")
            self.file.seek(entry.header_offset)
            header = self.file.read(30)
            start = entry.header_offset + 30 + sum(struct.unpack("<HH", header[26:]))
            if header[:4] != b"PK\3\4" or entry.header_offset < free or start + entry.file_size > end:
                self._refuse(f"{what} overlaps another or reaches outside")
            free = start + entry.file_size
            places[name] = start, entry.file_size, entry.CRC
        return places

    def _refuse(self, reason: str) -> NoReturn:
        self.file.seek(0)
        if self.file.read(1) == b"\x80":
            reason = "is a bare pickle, as torch wrote it before version 1.6: load it in torch and save it again"
        raise RuntimeError(f"it {reason}")

    def size(self, name: str) -> int:
        """The number of bytes of a record."""
        if name not in self.places:
            self._refuse(f"has no record {name[:80]!r}")
        return self.places[name][1]

    def read(self, name: str) -> Array:
        """The bytes of one record, as an array of uint8 that may be changed; a change never reaches the file."""
        size = self.size(name)
        start, _, checksum = self.places[name]
        if self.map is not None and size:
            array = np.frombuffer(self.map, np.uint8, size, start)
            if size > SMALL:  # to verify it is to read it
                return array
        else:
            array = np.empty(size, np.uint8)
            self.file.seek(start)
            if hasattr(self.file, "readinto"):  # 2.5 times as fast for 100 MB
                self.file.readinto(array.data)
            else:
                array[:] = np.frombuffer(self.file.read(size), np.uint8)
        self._verify(name, array.data, checksum)
        return array

    def read_bytes(self, name: str) -> bytes:
        """The bytes of one record, which is always read and verified."""
        size = self.size(name)
        start, _, checksum = self.places[name]
        self.file.seek(start)
        data = self.file.read(size)
        self._verify(name, data, checksum)
        return data

    def _verify(self, name: str, data: Any, checksum: int) -> None:
        if checksum and zlib.crc32(data) != checksum:  # torch can be told to write 0 for it
            self._refuse(f"is damaged: the record {name[:80]!r} is not what was written")
