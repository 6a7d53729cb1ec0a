"""The memory behind tensors, as `x.storage()` and `x.untyped_storage()` show it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import minigrad as mg

from .twins import LIBRARIES, raised, same_as_torch

pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")


@same_as_torch
def test_what_a_storage_knows(m: Any) -> Any:
    found = []
    for dtype in ("float32", "float64", "float16", "int64", "uint8", "bool"):
        x = m.tensor([[4, 1], [5, 3], [2, 1]], dtype=getattr(m, dtype))
        for s in (x.storage(), x.t().storage(), x[1].storage(), x.untyped_storage(), x[1:].untyped_storage(),
                  x.storage().untyped()):
            found.append([str(s), len(s), s.size(), s.nbytes(), s.element_size(), s.tolist(), list(s)[:3], s[0], s[-1], s.is_cuda,
                          s.is_shared(), s.data_ptr() == x.data_ptr(), str(s.device)])
        found += [str(x.storage().dtype).replace("minigrad", "torch"), x[1].storage_offset()]
    return [*found, str(m.empty(0).storage()), str(m.tensor(1.5).storage()), str(m.ones(2).untyped_storage()[1:3])]


@same_as_torch
def test_what_is_written_is_seen(m: Any) -> Any:
    x = m.zeros(3, 2)
    y, s = x.t(), x.storage()
    s[0], s[-1], s[1:3] = 1.5, 2, 7.0
    seen = [x.clone(), y.clone()]
    s.copy_(m.tensor([1, 2, 3, 4, 5, 6], dtype=m.int32).storage())
    seen.append(x.clone())
    copied = s.clone()
    copied.fill_(9)
    z = m.FloatTensor(s)
    z[0] = -1
    return [*seen, x, z, copied.tolist(), m.FloatTensor(m.ones(2).storage())]


@same_as_torch
def test_the_result_of_a_convolution_has_torchs_memory(m: Any) -> Any:
    x = m.nn.functional.conv2d(m.ones(1, 2, 3, 3), m.arange(24.0).reshape(3, 2, 2, 2))
    return x.storage().tolist()


WRONG = {
    "a slice": lambda s: s[0:2], "a list": lambda s: s[[0]], "a word": lambda s: s["a"], "behind": lambda s: s[6],
    "before": lambda s: s[-7], "sum": lambda s: s + s, "another size": lambda s: s.copy_(s.clone().untyped()[:8]),
}  # fmt: skip


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_errors(call: Any) -> None:
    assert raised(call, mg.zeros(3, 2).storage()) == raised(call, torch.zeros(3, 2).storage()) != "nothing"


@LIBRARIES
def test_a_tensor_of_another_storage(lib: Any) -> None:
    with pytest.raises(RuntimeError, match=r"of type Float or|storage of torch.float32, got one of torch.int64"):
        lib.FloatTensor(lib.ones(2).long().storage())


@pytest.mark.filterwarnings("default:TypedStorage is deprecated")
def test_it_warns_as_torch_does() -> None:
    texts = []
    torch.storage._reset_warn_typed_storage_removal()
    for m in (mg, torch):
        with pytest.warns(UserWarning, match="TypedStorage is deprecated") as caught:
            m.ones(2).storage()
        texts.append(str(caught[0].message))
    assert texts[0] == texts[1]


def test_resizing_is_refused() -> None:
    with pytest.raises(NotImplementedError, match=r"TypedStorage\.resize_ is not supported"):
        mg.ones(2).storage().resize_(3)
