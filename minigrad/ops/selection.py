"""Which of equal elements come first: torch's choice, which is that of the C++ library that it was built with.

`topk` rests on ``std::nth_element``, ``std::sort`` and ``std::partial_sort``. None of them keeps the order of equal elements, so
who wants the same indices has to exchange the same elements. Here are these algorithms as GNU's library has them (introselect
and introsort by Musser, 1997), on a list of pairs (key, index), of which the keys are compared.

`topk` comes here for rows only in which equal elements compete.
"""

from __future__ import annotations

from typing import Any

Pairs = list[tuple[Any, int]]


def first_of(keys: Any, k: int) -> list[int]:
    """The indices of the `k` smallest of some keys, in order, as torch's `topk` finds them."""
    pairs = list(zip(keys.tolist(), range(len(keys)), strict=True))
    if 64 * k <= len(pairs):
        partial_sort(pairs, k)
    else:
        nth_element(pairs, k - 1)
        sort(pairs, 0, k - 1)
    return [index for _, index in pairs[:k]]


def nth_element(x: Pairs, nth: int) -> None:
    """Bring the element of rank `nth` to its place, with none behind it that comes before it."""
    first, last, depth = 0, len(x), 2 * (len(x).bit_length() - 1)
    while last - first > 3:
        if depth == 0:
            _select_by_heap(x, first, nth + 1, last)
            x[first], x[nth] = x[nth], x[first]
            return
        depth -= 1
        cut = _partition(x, first, last)
        first, last = (cut, last) if cut <= nth else (first, cut)
    _sort_by_insertion(x, first, last)


def sort(x: Pairs, first: int, last: int) -> None:
    """Sort x[first:last]."""
    if first == last:
        return
    _sort_roughly(x, first, last, 2 * ((last - first).bit_length() - 1))
    _sort_by_insertion(x, first, min(first + 16, last))
    for i in range(min(first + 16, last), last):
        _insert(x, i)


def partial_sort(x: Pairs, middle: int) -> None:
    """Bring the first `middle` elements to the front, sorted."""
    _select_by_heap(x, 0, middle, len(x))
    _sort_heap(x, 0, middle)


def _partition(x: Pairs, first: int, last: int) -> int:
    """Part x[first:last] at the median of three of its elements; gives the place of the cut."""
    a, b, c = first + 1, first + (last - first) // 2, last - 1
    if x[a][0] < x[b][0]:
        median = b if x[b][0] < x[c][0] else c if x[a][0] < x[c][0] else a
    else:
        median = a if x[a][0] < x[c][0] else c if x[b][0] < x[c][0] else b
    x[first], x[median] = x[median], x[first]
    low, high = first + 1, last
    while True:
        while x[low][0] < x[first][0]:
            low += 1
        high -= 1
        while x[first][0] < x[high][0]:
            high -= 1
        if low >= high:
            return low
        x[low], x[high] = x[high], x[low]
        low += 1


def _sort_roughly(x: Pairs, first: int, last: int, depth: int) -> None:
    """Sort until no element is 16 or more places from its own."""
    while last - first > 16:
        if depth == 0:
            _select_by_heap(x, first, last, last)
            _sort_heap(x, first, last)
            return
        depth -= 1
        cut = _partition(x, first, last)
        _sort_roughly(x, cut, last, depth)
        last = cut


def _sort_by_insertion(x: Pairs, first: int, last: int) -> None:
    for i in range(first + 1, last):
        if x[i][0] < x[first][0]:
            x[first : i + 1] = [x[i], *x[first:i]]
        else:
            _insert(x, i)


def _insert(x: Pairs, i: int) -> None:
    """Move element i to the front until the one before it does not come after it."""
    place = i
    while x[i][0] < x[place - 1][0]:
        place -= 1
    x[place : i + 1] = [x[i], *x[place:i]]


def _select_by_heap(x: Pairs, first: int, middle: int, last: int) -> None:
    """Make x[first:middle] a heap of the elements that come first, the last of them on top."""
    size = middle - first
    for root in range((size - 2) // 2, -1, -1):
        _sift(x, first, root, size, x[first + root])
    for i in range(middle, last):
        if x[i][0] < x[first][0]:
            value, x[i] = x[i], x[first]
            _sift(x, first, 0, size, value)


def _sort_heap(x: Pairs, first: int, last: int) -> None:
    for end in range(last - 1, first, -1):
        value, x[end] = x[end], x[first]
        _sift(x, first, 0, end - first, value)


def _sift(x: Pairs, first: int, hole: int, size: int, value: Any) -> None:
    """Put `value` into the heap x[first:first + size], whose element at `hole` was taken: down to a leaf, then up again."""
    top, child = hole, hole
    while child < (size - 1) // 2:
        child = 2 * (child + 1)
        if x[first + child][0] < x[first + child - 1][0]:
            child -= 1
        x[first + hole] = x[first + child]
        hole = child
    if size % 2 == 0 and child == (size - 2) // 2:
        child = 2 * (child + 1)
        x[first + hole] = x[first + child - 1]
        hole = child - 1
    parent = (hole - 1) // 2
    while hole > top and x[first + parent][0] < value[0]:
        x[first + hole] = x[first + parent]
        hole, parent = parent, (parent - 1) // 2
    x[first + hole] = value
