"""Servers that fail, at each place where one can. What a fresh try can still get is downloaded; the rest is refused in a sentence.

How torch.hub fares with those that fail for a while: ``python tests/test_attack_servers.py torch``
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import random
import re
import socket
import struct
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from minigrad.vision import download

CONTENT = gzip.compress(random.Random(0).randbytes(60_000))
SIZE, HALF = len(CONTENT), len(CONTENT) // 2
PAGE = b"<!DOCTYPE html><title>Log in</title>"
LENGTH = f"Content-Length: {SIZE}"
LATER = "Date: Tue, 01 Jan 2030 00:00:00 GMT"

# What a server sends in answer to one request, for which `start` is the first byte that was asked for. Then it closes.
Part = bytes | str  # "reset" closes with a reset, "stall" waits until the client gives up
Answer = Callable[[int], Sequence[Part]]


def head(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""]).encode("latin-1")


def says(status: str, *headers: str, body: bytes = b"", then: Sequence[Part] = ()) -> Answer:
    return lambda start: [head(status, *headers), body, *then]


def good(start: int) -> Sequence[Part]:
    """A server that knows ranges."""
    rest = f"Content-Length: {SIZE - start}"
    place = f"Content-Range: bytes {start}-{SIZE - 1}/{SIZE}"
    return [head("206 Partial Content", rest, place, 'ETag: "1"') if start else head("200 OK", rest, 'ETag: "1"'), CONTENT[start:]]


def rest(status: str, *headers: str, body: bytes | None = None) -> Answer:
    """An answer to a request for the second half: ``{0}`` is its first byte, ``{1}`` its last, ``{2}`` the size."""
    return lambda start: [head(status, *(h.format(start, SIZE - 1, SIZE) for h in headers)),
                          CONTENT[start:] if body is None else body]  # fmt: skip


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> Answer:
    body = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks) + end
    return says("200 OK", "Transfer-Encoding: chunked", body=body)


cut = says("200 OK", LENGTH, 'ETag: "1"', body=CONTENT[:HALF])
PLACE = "Content-Range: bytes {0}-{1}/{2}"

# What is answered to the first tries; afterwards the server is a good one.
PASSING: dict[str, list[Answer]] = {
    **{f"status {status}, twice": [says(f"{status} Busy")] * 2 for status in (408, 429, 500, 502, 503, 504)},
    "503 with a page": [says("503 Busy", "Content-Type: text/html", body=PAGE)],
    "503 with a page that is cut": [says("503 Busy", "Content-Length: 9999", body=PAGE)],
    **{f"Retry-After: {asked}": [says("503 Busy", f"Retry-After: {asked}")]
       for asked in ("0", "-5", "1.5", "soon", "", "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 99 Foo 99999 00:00:00 +9999")},
    # closed, reset, or silent, at each stage
    "closed at once": [lambda start: []],
    "reset at once": [lambda start: ["reset"]],
    "silent": [lambda start: ["stall"]],
    "closed in the status line": [lambda start: [b"HTTP/1.1 2"]],
    "reset in the headers": [lambda start: [b"HTTP/1.1 200 OK\r\nContent-Le", "reset"]],
    "silent in the headers": [lambda start: [b"HTTP/1.1 200 OK\r\nContent-Le", "stall"]],
    "closed before the content": [says("200 OK", LENGTH)],
    "reset before the content": [says("200 OK", LENGTH, then=["reset"])],
    "silent before the content": [says("200 OK", LENGTH, then=["stall"])],
    "closed in the content": [cut],
    "reset in the content": [says("200 OK", LENGTH, 'ETag: "1"', body=CONTENT[:HALF], then=["reset"])],
    "silent in the content": [says("200 OK", LENGTH, 'ETag: "1"', body=CONTENT[:HALF], then=["stall"])],
    "closed before the last byte": [says("200 OK", LENGTH, 'ETag: "1"', body=CONTENT[:-1])],
    "closed in the content three times": [cut, *[rest("206 OK", PLACE, 'ETag: "1"', "Content-Length: 99999", body=b"")] * 2],
    "silent at the end, of unknown length": [says("200 OK", body=CONTENT[:HALF], then=["stall"])],
    # lengths
    "cut, of unknown length": [says("200 OK", body=CONTENT[:HALF])],
    "length too small": [says("200 OK", f"Content-Length: {HALF}", body=CONTENT)],
    "length too large": [says("200 OK", f"Content-Length: {SIZE + 1}", body=CONTENT)],
    "length of nothing": [says("200 OK", "Content-Length: 0")],
    "length negative, and cut": [says("200 OK", "Content-Length: -5", body=CONTENT[:HALF])],
    "length no number, and cut": [says("200 OK", "Content-Length: many", body=CONTENT[:HALF])],
    "length of 5,000 digits": [says("200 OK", "Content-Length: " + "9" * 5000, body=CONTENT)],
    "two lengths": [says("200 OK", LENGTH, f"Content-Length: {HALF}", body=CONTENT)],
    # the second half
    "knows no ranges": [cut, rest("200 OK", body=CONTENT)],
    "range not satisfiable": [cut, rest("416 No", "Content-Range: bytes */{2}")],
    "range without its place": [cut, rest("206 OK")],
    "range of another place": [cut, rest("206 OK", "Content-Range: bytes 0-{1}/{2}", body=CONTENT)],
    "range of another size": [cut, rest("206 OK", "Content-Range: bytes {0}-99999/100000")],
    "range in words": [cut, rest("206 OK", "Content-Range: the second half")],
    "range in several parts": [cut, rest("206 OK", "Content-Type: multipart/byteranges; boundary=x", body=b"--x\r\n" + PAGE)],
    "part of what was not asked for": [says("206 OK", f"Content-Range: bytes {HALF}-{SIZE - 1}/{SIZE}", body=CONTENT[HALF:])],
    "another version": [cut, rest("206 OK", PLACE, 'ETag: "2"', body=bytes(SIZE - HALF))],
    "another date": [says("200 OK", LENGTH, LATER.replace("Date", "Last-Modified"), body=CONTENT[:HALF]),
                     rest("206 OK", PLACE, "Last-Modified: Wed, 02 Jan 2030 00:00:00 GMT", body=bytes(SIZE - HALF))],
    "version gone": [cut, rest("206 OK", PLACE, body=bytes(SIZE - HALF))],
    "other bytes under the same version": [cut, rest("206 OK", PLACE, 'ETag: "1"', body=bytes(SIZE - HALF))],
    "more than was there": [cut, rest("206 OK", PLACE, 'ETag: "1"', body=CONTENT)],
    "second half empty": [cut, rest("206 OK", PLACE, 'ETag: "1"', body=b"")],
    "503 in the middle": [cut, says("503 Busy")],
    "404 in the middle": [cut, says("404 Gone")],
    "403 in the middle": [cut, says("403 Link expired")],
    "a page in the middle": [cut, says("200 OK", body=PAGE)],
    # content
    "wrong content once": [says("200 OK", LENGTH, body=bytes(SIZE))],
    "a page with status 200": [says("200 OK", f"Content-Length: {len(PAGE)}", body=PAGE)],
    "no content": [says("204 No Content")],
    "not modified": [says("304 Not Modified")],
    "a stored encoding": [says("200 OK", LENGTH, "Content-Encoding: x-gzip", body=CONTENT)] * 4,
    "a false encoding": [says("200 OK", f"Content-Length: {len(PAGE)}", "Content-Encoding: deflate", body=PAGE)],
    "half an encoding": [says("200 OK", "Content-Encoding: gzip", body=gzip.compress(CONTENT)[:HALF])],
    # chunks
    "chunked": [chunked(CONTENT[:HALF], CONTENT[HALF:])] * 4,
    "chunked, without end": [chunked(CONTENT, end=b"")],
    "chunked, cut within a chunk": [says("200 OK", "Transfer-Encoding: chunked", body=b"%x\r\n" % SIZE + CONTENT[:HALF])],
    "chunked, with a size in words": [chunked(CONTENT[:HALF], end=b"many\r\n" + CONTENT[HALF:])],
    "chunked, of negative size": [chunked(CONTENT[:HALF], end=b"-5\r\n" + CONTENT[HALF:])],
    "chunked in name only": [says("200 OK", "Transfer-Encoding: chunked", body=CONTENT)],
    # redirections
    **{f"{status} to the file": [says(f"{status} Moved", "Location: /file")] for status in (301, 302, 303, 307, 308)},
    "20 times elsewhere": [says("302 Moved", f"Location: /{i}") for i in range(20)],
    "elsewhere, to be refused": [says("302 Moved", "Location: http://127.0.0.1:1/file")],
    "elsewhere, without saying where": [says("302 Moved")],
    # what is not HTTP
    "another protocol": [lambda start: [b"SSH-2.0-OpenSSH_9.6\r\n"]],
    "a page without headers": [lambda start: [PAGE]],
    "a status in words": [lambda start: [b"HTTP/1.1 fine\r\n\r\n" + CONTENT]],
    "a status of four digits": [lambda start: [b"HTTP/1.1 2000 OK\r\n\r\n" + CONTENT]],
    "a header of 100,000 letters": [says("200 OK", "X: " + "x" * 100_000, body=CONTENT)],
    "1,000 headers": [says("200 OK", *(f"X{i}: x" for i in range(1000)), body=CONTENT)],
    "a header that is none": [lambda start: [b"HTTP/1.1 200 OK\r\n\xff\x00: no\r\nmore\r\n\r\n" + CONTENT[:HALF]]],
    "going on for ever": [lambda start: [b"HTTP/1.1 100 Continue\r\n\r\n" * 50]],
}  # fmt: skip

# What stays as it is, and what is said of it.
LASTING: dict[str, tuple[Answer, str]] = {
    **{f"status {status}": (says(f"{status} No"), f"HTTP status {status} No")
       for status in (400, 401, 403, 404, 410, 416, 451, 501)},
    "status 503": (says("503 Busy"), "HTTP status 503 Busy"),
    "a wait of an hour": (says("429 Wait", "Retry-After: 3600"), "asks to wait for 3600 s"),
    "a wait until 2999": (says("503 Wait", "Retry-After: Tue, 01 Jan 2999 00:00:00 GMT"), r"asks to wait for \d{11} s"),
    "a wait of 400 digits": (says("429 Wait", "Retry-After: " + "9" * 400), "asks to wait for inf s"),
    "always cut": (says("200 OK", LENGTH, body=CONTENT[:HALF]), "no connection, or it kept breaking"),
    "always reset": (lambda start: ["reset"], "no connection, or it kept breaking"),
    "always silent": (lambda start: ["stall"], r"no answer for 0\.2 s"),
    "wrong content": (says("200 OK", LENGTH, body=bytes(SIZE)), "what came is not the expected file"),
    "a page with status 200": (says("200 OK", body=PAGE), "what came is not the expected file"),
    "round and round": (says("302 Moved", "Location: /file"), "Exceeded 30 redirects"),
    "to a file of this computer": (says("302 Moved", "Location: file:///etc/passwd"), "No connection adapters"),
    "to no address": (says("302 Moved", "Location: http://[::/"), "what came|Invalid|Failed to parse"),
    "more than fits": (says("200 OK", body=bytes(200_000)), "it has more than 100000 bytes"),
    "more than it says": (chunked(*[bytes(1000)] * 200), "it has more than 100000 bytes"),
}  # fmt: skip


@contextlib.contextmanager
def serving(answer: Callable[[int, int], Sequence[Part]]) -> Iterator[tuple[str, list[int]]]:
    """A server: its address, and the first byte that each request asked for. ``answer(number of the request, first byte)``."""
    asked: list[int] = []

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(4096) or b"\r\n\r\n"
            wanted = re.search(rb"Range: bytes=(\d+)-", request)
            asked.append(int(wanted[1]) if wanted else 0)
            for part in answer(len(asked) - 1, asked[-1]):
                if part == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif part == "stall":
                    connection.recv(1)
                else:
                    connection.sendall(part)  # type: ignore[arg-type]

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            if over:
                connection.close()
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    over: list[bool] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/file", asked
        finally:
            over.append(True)
            socket.create_connection(listener.getsockname()).close()  # so that it wakes up
            thread.join()


def verify(path: Path) -> None:
    if path.read_bytes() != CONTENT:
        raise ValueError("it has another checksum")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PAUSE": 0, "TIMEOUT": 0.2, "MAX_BYTES": 100_000}.items():
        monkeypatch.setattr(download, name, value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def at_first(answers: list[Answer]) -> Callable[[int, int], Sequence[Part]]:
    return lambda number, start: (answers[number] if number < len(answers) else good)(start)


@pytest.mark.parametrize("kind", PASSING)
def test_a_server_that_fails_for_a_while(kind: str, tmp_path: Path) -> None:
    answers = PASSING[kind]
    with serving(at_first(answers)) as (url, asked):
        download.fetch([url], tmp_path / "file", verify, progress=False)
    assert os.listdir(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert len(asked) <= max(download.TRIES, len(answers) + 2)


@pytest.mark.parametrize("kind", LASTING)
def test_a_server_that_does_not_come_back(kind: str, tmp_path: Path) -> None:
    answer, said = LASTING[kind]
    with serving(lambda number, start: answer(start)) as (url, asked), pytest.raises(download.DataError, match=said) as caught:
        download.fetch([url], tmp_path / "file", verify, progress=False)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []
    assert len(asked) <= 31  # what was not asked for before is not asked for again and again


def with_torch(answers: list[Answer]) -> str:
    """Whether torch.hub gets the file."""
    import torch

    found = ["hangs"]

    def fetch(url: str, path: Path) -> None:
        try:
            torch.hub.download_url_to_file(url, str(path), hashlib.sha256(CONTENT).hexdigest()[:8], progress=False)
            found[0] = "whole" if path.read_bytes() == CONTENT else "wrong"
        except Exception:
            found[0] = "lost"

    with tempfile.TemporaryDirectory() as folder, serving(at_first(answers)) as (url, _):
        thread = threading.Thread(target=fetch, args=(url, Path(folder) / "file"), daemon=True)
        thread.start()
        thread.join(5)
        return found[0]


if __name__ == "__main__":
    assert sys.argv[1:] == ["torch"]
    print(Counter(with_torch(answers) for answers in PASSING.values()))
