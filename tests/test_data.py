"""Datasets, samplers and the loader: the order, the batches and the errors are those of torch, the fast way's too."""

import itertools
import tracemalloc
import types
from collections import OrderedDict, UserDict, namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.data

import minigrad as mg
import minigrad.utils.data

from .twins import LIBRARIES

Point = namedtuple("Point", ["x", "y"])


def seed(lib: Any, number: int = 0) -> None:
    lib.manual_seed(number)


def generator(lib: Any, number: int = 1) -> Any:
    return lib.Generator().manual_seed(number)


def state(lib: Any, own: Any = None) -> bytes:
    """Where the default generator stands, and an own one."""
    states = [lib.get_rng_state()] + ([] if own is None else [own.get_state()])
    return b"".join(np.asarray(s).tobytes() for s in states)


def plain(x: Any) -> Any:
    """What a value consists of, tensors described by dtype, shape and values, so that libraries can be compared."""
    if isinstance(x, (torch.Tensor, mg.Tensor)):
        return "tensor", str(x.dtype), tuple(x.shape), x.tolist()
    if isinstance(x, (UserDict, dict, types.MappingProxyType)):
        return type(x), {key: plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x), [plain(value) for value in x]
    return type(x), x


def digits(lib: Any, n: int = 10) -> Any:
    """`n` images of shape (2, 3), their labels, and a weight for each."""
    images = np.arange(6 * n, dtype=np.float32).reshape(n, 2, 3)
    tensors = lib.tensor(images), lib.tensor(np.arange(n) % 4), lib.tensor(np.arange(n) / 8)
    return lib.utils.data.TensorDataset(*tensors)


def one_by_one(lib: Any, dataset: Any) -> Any:
    """The same samples, from a class that the loader knows nothing about."""

    class OneByOne(lib.utils.data.Dataset):  # type: ignore[misc, name-defined]
        def __getitem__(self, index: int) -> Any:
            assert type(index) is int
            return dataset[index]

        def __len__(self) -> int:
            return len(dataset)

    return OneByOne()


# ---- datasets --------------------------------------------------------------------------------------------------------


@LIBRARIES
def test_a_tensor_dataset_gives_samples_and_slices(lib: Any) -> None:
    x, y = lib.arange(12).reshape(6, 2), lib.arange(6)
    ds = lib.utils.data.TensorDataset(x, y)
    assert len(ds) == 6
    assert ds.tensors == (x, y)
    assert plain(ds[1]) == plain((x[1], y[1]))
    assert plain(ds[-1]) == plain((x[5], y[5]))
    assert plain(ds[2:5]) == plain((x[2:5], y[2:5]))
    assert plain(ds[[0, 3]]) == plain((x[[0, 3]], y[[0, 3]]))
    assert ds[2:5][0].data_ptr() == x[2:].data_ptr()
    with pytest.raises(IndexError):
        ds[6]


@LIBRARIES
def test_subsets_and_concatenations_find_their_samples(lib: Any) -> None:
    data = lib.utils.data
    part = data.Subset(digits(lib), [7, 1, -1])
    assert len(part) == 3
    assert [part[i][1].item() for i in (0, 1, 2, -2)] == [3, 1, 1, 1]
    assert part[[0, 1]][1].tolist() == [3, 1]
    both = part + digits(lib, 4)
    assert isinstance(both, data.ConcatDataset)
    assert len(both) == 7
    assert both.cumulative_sizes == [3, 7]
    assert [both[i][1].item() for i in range(-7, 7)] == [3, 1, 1, 0, 1, 2, 3] * 2
    with pytest.raises(ValueError, match="absolute value of index should not exceed dataset length"):
        both[-8]
    with pytest.raises(IndexError):
        both[7]


@pytest.mark.parametrize("lengths", [[3, 7], [0.3, 0.3, 0.4], [0.55, 0.45], [10], [5, 0, 5]])
@pytest.mark.parametrize("own", [False, True])
def test_random_split_is_torchs(lengths: list[Any], own: bool) -> None:
    found = []
    for lib in (torch, mg):
        seed(lib)
        g = generator(lib) if own else None
        parts = lib.utils.data.random_split(range(10), lengths, g) if own else lib.utils.data.random_split(range(10), lengths)
        found.append(([part.indices for part in parts], [list(part) for part in parts], state(lib, g)))
    assert found[0] == found[1]


@LIBRARIES
def test_streams_can_be_chained(lib: Any) -> None:
    class Stream(lib.utils.data.IterableDataset):  # type: ignore[misc, name-defined]
        def __init__(self, n: int) -> None:
            self.n = n

        def __iter__(self) -> Iterator[int]:
            return iter(range(self.n))

        def __len__(self) -> int:
            return self.n

    both = Stream(2) + Stream(3)
    assert isinstance(both, lib.utils.data.ChainDataset)
    assert [list(both), list(both), len(both)] == [[0, 1, 0, 1, 2]] * 2 + [5]
    once = lib.utils.data.ChainDataset(Stream(n) for n in (1, 2))
    assert [[*map(int, iter(once))] for _ in range(2)] == [[0, 0, 1], []]
    assert plain(list(lib.utils.data.DataLoader(both, 3))) == plain([lib.tensor([0, 1, 0]), lib.tensor([1, 2])])


@pytest.mark.parametrize("names", [(), ("a", "b", "c")])
def test_datasets_side_by_side_are_torchs(names: tuple[str, ...]) -> None:
    found = []
    for lib in (torch, mg):
        parts = [digits(lib, 5), "abcde", lib.utils.data.Subset([0.5, 1.5], [1, 0, 0, 1, 1])]
        make = lib.utils.data.StackDataset
        stack = make(**dict(zip(names, parts, strict=True))) if names else make(*parts)
        batches = list(lib.utils.data.DataLoader(stack, 2))
        found.append([len(stack), plain(stack[1]), plain(stack.__getitems__([3, 0])), plain(batches)])
    assert found[0] == found[1]


@LIBRARIES
def test_random_split_warns_of_an_empty_part(lib: Any) -> None:
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0. This might result in an empty dataset"):
        assert [len(part) for part in lib.utils.data.random_split(range(3), [0.9, 0.1])] == [3, 0]


# ---- samplers --------------------------------------------------------------------------------------------------------

SAMPLERS = {
    "sequential": lambda data, g: data.SequentialSampler(range(10)),
    "random": lambda data, g: data.RandomSampler(range(10), generator=g),
    "random, fewer": lambda data, g: data.RandomSampler(range(10), num_samples=4, generator=g),
    "random, more": lambda data, g: data.RandomSampler(range(10), num_samples=25, generator=g),
    "random, twice": lambda data, g: data.RandomSampler(range(10), num_samples=20, generator=g),
    "replacement": lambda data, g: data.RandomSampler(range(10), True, generator=g),
    "replacement, 32": lambda data, g: data.RandomSampler(range(10), True, 32, generator=g),
    "replacement, 70": lambda data, g: data.RandomSampler(range(10), True, 70, generator=g),
    "subset": lambda data, g: data.SubsetRandomSampler([3, 1, 4, 1, 5, 9, 2, 6], generator=g),
    "weighted": lambda data, g: data.WeightedRandomSampler([1, 0.1, 0, 4], 20, generator=g),
    "weighted, once": lambda data, g: data.WeightedRandomSampler([1, 2.5, 0.5, 4], 3, False, generator=g),
}


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_draw_as_torchs_do_number_by_number(name: str, own: bool) -> None:
    found = []
    for lib in (torch, mg):
        seed(lib)
        g = generator(lib) if own else None
        sampler = SAMPLERS[name](lib.utils.data, g)
        steps = [(i, type(i), state(lib, g)) for _ in range(2) for i in sampler]
        found.append((steps, len(sampler), state(lib, g)))
    assert found[0] == found[1]
    assert found[1][0][0][1] is int


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("size", [1, 4, 5, 10, 11])
@pytest.mark.parametrize("name", SAMPLERS)
def test_lists_of_numbers_are_torchs(name: str, size: int, drop_last: bool) -> None:
    found = []
    for lib in (torch, mg):
        seed(lib)
        g = generator(lib)
        sampler = lib.utils.data.BatchSampler(SAMPLERS[name](lib.utils.data, g), size, drop_last)
        found.append(([(batch, state(lib, g)) for _ in range(2) for batch in sampler], len(sampler), state(lib, g)))
    assert found[0] == found[1]


@LIBRARIES
def test_weights_are_kept_in_double_precision(lib: Any) -> None:
    assert lib.utils.data.WeightedRandomSampler([0.1, 0.2], 1).weights.tolist() == [0.1, 0.2]


def test_the_numbers_users_see_are_pythons() -> None:
    data = minigrad.utils.data
    batches = list(data.BatchSampler(data.RandomSampler(range(10)), 4, False))
    assert {type(batch) for batch in batches} == {list}
    assert {type(i) for batch in batches for i in batch} == {int}


# ---- the loader ------------------------------------------------------------------------------------------------------


def both(build: Any, epochs: int = 3) -> Any:
    """Batches, and states of the generators before the epoch and after each batch, of both libraries; must be equal."""
    found = []
    for lib in (torch, mg):
        seed(lib)
        g = generator(lib)
        loader = build(lib, g)
        steps = []
        for _ in range(epochs):
            iterator = iter(loader)
            steps.append(state(lib, g))
            for batch in iterator:
                steps.append((plain(batch), state(lib, g)))
            steps.append(state(lib, g))
        found.append(steps)
    assert found[0] == found[1]
    return found[1]


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("batch_size", [1, 4, 5, 16])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("fast", [False, True])
def test_order_contents_and_draws_are_torchs(fast: bool, shuffle: bool, own: bool, batch_size: int, drop_last: bool) -> None:
    def build(lib: Any, g: Any) -> Any:
        dataset = digits(lib) if fast else one_by_one(lib, digits(lib))
        options = {"batch_size": batch_size, "shuffle": shuffle, "drop_last": drop_last}
        return lib.utils.data.DataLoader(dataset, **options, generator=g if own else None)

    both(build)


@pytest.mark.parametrize("name", SAMPLERS)
def test_any_sampler_serves_the_fast_way(name: str) -> None:
    def build(lib: Any, g: Any) -> Any:
        return lib.utils.data.DataLoader(digits(lib), 3, sampler=SAMPLERS[name](lib.utils.data, g))

    both(build, 2)


BATCHES = [
    [[0, 1], [5], [-1, 3, 3]],
    [np.array([0, 1]), np.array([[2, 3], [4, 5]])],
    [range(3), (1, 2), [True, True]],
    [[np.int64(3), 4]],
]


@pytest.mark.parametrize("batches", BATCHES, ids=["lists", "arrays", "others", "mixed"])
def test_any_batches_of_numbers_serve(batches: Any) -> None:
    both(lambda lib, g: lib.utils.data.DataLoader(digits(lib), batch_sampler=batches), 1)


def test_splits_and_parts_of_parts_load_as_torchs() -> None:
    def build(lib: Any, g: Any) -> Any:
        part, _ = lib.utils.data.random_split(digits(lib, 20), [0.75, 0.25], generator(lib, 5))
        return lib.utils.data.DataLoader(lib.utils.data.Subset(part, range(1, 15, 2)), 3, shuffle=True, generator=g)

    assert len(both(build, 2)) == 2 * (1 + 3 + 1)


@pytest.mark.parametrize("own", [False, True])
def test_an_epoch_left_early_leaves_the_streams_where_torch_does(own: bool) -> None:
    found = []
    for lib in (torch, mg):
        seed(lib)
        g = generator(lib)
        loader = lib.utils.data.DataLoader(digits(lib), 4, shuffle=True, generator=g if own else None)
        first = iter(loader)
        next(first)
        second = iter(loader)
        steps = [plain(next(second)), plain(next(first)), state(lib, g), plain(list(loader)), state(lib, g)]
        found.append(steps)
    assert found[0] == found[1]


@LIBRARIES
def test_length_attributes_and_what_may_not_be_changed(lib: Any) -> None:
    data = lib.utils.data
    loader = data.DataLoader(digits(lib), 4, shuffle=True)
    assert len(loader) == 3
    assert len(data.DataLoader(digits(lib), 4, drop_last=True)) == 2
    assert len(data.DataLoader(digits(lib), batch_size=None)) == 10
    assert isinstance(loader.sampler, data.RandomSampler)
    assert isinstance(loader.batch_sampler, data.BatchSampler)
    assert (loader.batch_size, loader.drop_last, loader.num_workers) == (4, False, 0)
    assert len(iter(loader)) == 3
    assert data.DataLoader[int] is not None  # in annotations
    assert isinstance(data.DataLoader(digits(lib)).sampler, data.SequentialSampler)
    for name in ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"):
        with pytest.raises(ValueError, match=f"{name} attribute should not be set after DataLoader is initialized"):
            setattr(loader, name, None)
    loader.collate_fn = len
    assert list(loader) == [4, 4, 2]


@LIBRARIES
def test_an_epoch_can_be_continued_after_a_sample_that_fails(lib: Any) -> None:
    class Holed(lib.utils.data.Dataset):  # type: ignore[misc, name-defined]
        def __getitem__(self, index: int) -> int:
            return [0, 1, 2, 3, 4, 5][index] // (index != 3)

        def __len__(self) -> int:
            return 6

    batches = iter(lib.utils.data.DataLoader(Holed(), 2))
    assert next(batches).tolist() == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(batches)
    assert next(batches).tolist() == [4, 5]
    with pytest.raises(StopIteration):
        next(batches)


@LIBRARIES
def test_getitems_gets_a_list_of_pythons_integers(lib: Any) -> None:
    asked = []

    class AtOnce(lib.utils.data.Dataset):  # type: ignore[misc, name-defined]
        def __getitems__(self, indices: list[int]) -> list[Any]:
            asked.append(indices)
            return [(i, str(i)) for i in indices]

        def __len__(self) -> int:
            return 10

    part = lib.utils.data.Subset(AtOnce(), list(range(9, -1, -1)))
    assert plain(next(iter(lib.utils.data.DataLoader(AtOnce(), 3)))) == plain([lib.tensor([0, 1, 2]), ("0", "1", "2")])
    assert plain(next(iter(lib.utils.data.DataLoader(part, 3)))) == plain([lib.tensor([9, 8, 7]), ("9", "8", "7")])
    assert asked == [[0, 1, 2], [9, 8, 7]]
    assert {type(i) for indices in asked for i in indices} == {int}


# ---- the fast way ----------------------------------------------------------------------------------------------------


@pytest.fixture
def only_whole_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any, index: Any) -> Any:
        raise AssertionError("a sample was asked for by itself")

    monkeypatch.setattr(mg.utils.data.TensorDataset, "__getitem__", refuse)


@pytest.mark.usefixtures("only_whole_batches")
@pytest.mark.parametrize("sampler", [None, [3, 1, 4, 1, 5]])
def test_batches_of_tensors_are_gathered_at_once(sampler: Any) -> None:
    data = mg.utils.data
    part = data.Subset(data.Subset(digits(mg), [9, 8, 7, 6, 5, 4]), range(6))
    for dataset in (digits(mg), part):
        assert len(list(data.DataLoader(dataset, 4, sampler=sampler))) == (2 if sampler or dataset is part else 3)


@pytest.mark.usefixtures("only_whole_batches")
@pytest.mark.parametrize("options", [{"collate_fn": list}, {"batch_size": None}])
def test_what_has_to_see_the_samples_sees_them(options: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="asked for by itself"):
        list(mg.utils.data.DataLoader(digits(mg), **options))


@pytest.mark.parametrize("order", ["C", "F", "strided"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_the_fast_way_gives_what_the_slow_way_gives(dtype: str, order: str) -> None:
    array = np.random.RandomState(0).randint(0, 200, (20, 3, 2)).astype(dtype)
    array = array[::2] if order == "strided" else np.asarray(array, order=order)  # type: ignore[call-overload]
    dataset = mg.utils.data.TensorDataset(mg.from_numpy(array), mg.arange(len(array)))
    results = []
    for either in (dataset, one_by_one(mg, dataset)):
        seed(mg)
        results.append([batch for _ in range(2) for batch in mg.utils.data.DataLoader(either, 3, shuffle=True)])
    assert plain(results[0]) == plain(results[1])
    assert all(x.is_contiguous() and not x.requires_grad for batch in results[0] for x in batch)


def test_batches_are_copies() -> None:
    dataset = digits(mg)
    before = dataset.tensors[0].tolist()
    for options in ({}, {"shuffle": True}, {"sampler": range(10)}):
        for x, *_ in mg.utils.data.DataLoader(dataset, 4, **options):
            x.fill_(-1.0)
    assert dataset.tensors[0].tolist() == before


def test_subclasses_and_changed_subsets_are_respected() -> None:
    data = mg.utils.data

    class Doubled(data.TensorDataset):
        def __getitem__(self, index: Any) -> Any:
            return tuple(t * 2 for t in super().__getitem__(index))

    class Backwards(data.Subset[Any]):
        def __getitem__(self, index: Any) -> Any:
            return super().__getitem__(len(self) - 1 - index)

        def __getitems__(self, indices: Any) -> list[Any]:
            return [self[i] for i in indices]

    class Largest(data.RandomSampler):
        def __iter__(self) -> Iterator[int]:
            return iter([9, 8])

    class Pairs(data.BatchSampler):
        def __iter__(self) -> Iterator[list[int]]:
            return iter([[0, 5], [1, 6]])

    def labels(dataset: Any, **options: Any) -> Any:
        return [batch[0].tolist() for batch in data.DataLoader(dataset, **options)]

    numbers = mg.arange(10)
    assert labels(Doubled(numbers), batch_size=5) == [[0, 2, 4, 6, 8], [10, 12, 14, 16, 18]]
    assert labels(Backwards(data.TensorDataset(numbers), [3, 4, 5]), batch_size=2) == [[5, 4], [3]]
    assert labels(data.TensorDataset(numbers), sampler=Largest(range(10)), batch_size=2) == [[9, 8]]
    assert labels(data.TensorDataset(numbers), batch_sampler=Pairs(data.SequentialSampler(range(10)), 1, False)) == [
        [0, 5],
        [1, 6],
    ]
    part = data.Subset(data.TensorDataset(numbers), [1, 2])
    loader = data.DataLoader(part, 2)
    assert [batch[0].tolist() for batch in loader] == [[1, 2]]
    part.indices[0] = 7  # type: ignore[index]
    assert [batch[0].tolist() for batch in loader] == [[7, 2]]


@LIBRARIES
def test_gradients_flow_through_batches(lib: Any) -> None:
    x = lib.arange(6.0).requires_grad_()
    for (batch,) in lib.utils.data.DataLoader(lib.utils.data.TensorDataset(x), 4):
        (batch * batch).sum().backward()
    assert x.grad.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]


# ---- streams of samples ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None}, {"batch_size": 5}]
)
def test_iterable_datasets_load_as_torchs(options: dict[str, Any]) -> None:
    def build(lib: Any, g: Any) -> Any:
        class Stream(lib.utils.data.IterableDataset):  # type: ignore[misc, name-defined]
            def __iter__(self) -> Iterator[Any]:
                for i in range(10):
                    yield {"x": np.float32(i), "t": lib.tensor([i, -i])}

            def __len__(self) -> int:
                return 10

        loader = lib.utils.data.DataLoader(Stream(), **options, generator=g)
        assert len(loader) == len(list(loader))
        return loader

    both(build, 2)


# ---- collating -------------------------------------------------------------------------------------------------------


class Tagged(dict[str, Any]):
    """A dict with an attribute, which its batch keeps."""

    tag = "of the class"


def tagged(values: dict[str, Any]) -> Tagged:
    result = Tagged(values)
    result.tag = "of the sample"
    return result


COLLATED = {
    "ints": lambda lib: [1, 2],
    "bools": lambda lib: [True, False],
    "floats": lambda lib: [0.1, 2],
    "numpy floats": lambda lib: [np.float32(0.1), np.float32(2)],
    "numpy doubles": lambda lib: [np.float64(0.1), np.float64(2)],
    "numpy and Python": lambda lib: [np.float32(0.1), 2.5],
    "numpy ints": lambda lib: [np.int32(1), np.int32(2)],
    "numpy bools": lambda lib: [np.bool_(True), np.bool_(False)],
    "strings": lambda lib: ["a", "bc"],
    "bytes": lambda lib: [b"a", b"bc"],
    "tensors": lambda lib: [lib.tensor([1.5, 2]), lib.tensor([3.0, 4])],
    "scalars": lambda lib: [lib.tensor(1), lib.tensor(2)],
    "arrays": lambda lib: [np.arange(3), np.arange(3) * 2],
    "0-d arrays": lambda lib: [np.array(0.5), np.array(1.5)],
    "tuples": lambda lib: [(1, "a", lib.tensor([1])), (2, "b", lib.tensor([2]))],
    "lists": lambda lib: [[1, 0.5], [2, 1.5]],
    "named": lambda lib: [Point(1, (0.5, "a")), Point(2, (1.5, "b"))],
    "dicts": lambda lib: [{"x": 1, "y": [0.5]}, {"y": [1.5], "x": 2, "z": 3}],
    "ordered": lambda lib: [OrderedDict(x=1, y=2), OrderedDict(x=3, y=4)],
    "user's dicts": lambda lib: [UserDict(x=1), UserDict(x=2)],
    "tagged": lambda lib: [tagged({"x": 1}), tagged({"x": 2})],
    "proxies": lambda lib: [types.MappingProxyType({"x": 1}), types.MappingProxyType({"x": 2})],
    "ranges": lambda lib: [range(2), range(1, 3)],
    "empty tuples": lambda lib: [(), ()],
    "nested": lambda lib: [{"x": [(1, np.zeros(2)), Point("a", 2)]}, {"x": [(3, np.ones(2)), Point("b", 4)]}],
}


@pytest.mark.parametrize("name", COLLATED)
def test_batches_have_the_form_that_torch_gives_them(name: str) -> None:
    ours, theirs = (lib.utils.data.default_collate(COLLATED[name](lib)) for lib in (mg, torch))
    assert plain(ours) == plain(theirs)
    if name == "tagged":
        assert ours.tag == theirs.tag == "of the sample"


@pytest.mark.parametrize("name", COLLATED)
def test_single_samples_are_converted_as_torch_does(name: str) -> None:
    for ours, theirs in zip(COLLATED[name](mg), COLLATED[name](torch), strict=True):
        assert plain(mg.utils.data.default_convert(ours)) == plain(torch.utils.data.default_convert(theirs))


@LIBRARIES
def test_converted_arrays_share_their_memory_and_words_stay(lib: Any) -> None:
    array, words = np.zeros(3), np.array(["a", "b"])
    lib.utils.data.default_convert(array).fill_(1.0)
    assert array.tolist() == [1.0, 1.0, 1.0]
    assert lib.utils.data.default_convert(words) is words


COLLATE_ERRORS = [
    (
        [object()],
        TypeError,
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class 'obj",
    ),
    ([None], TypeError, "found <class 'NoneType'>"),
    (
        [np.array(["a"])],
        TypeError,
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found .*<U1",
    ),
    ([1, "a"], TypeError, "str"),
    ([[1], [1, 2]], RuntimeError, "each element in list of batch should be of equal size"),
    ([np.zeros(2), np.zeros(3)], RuntimeError, "stack expects each tensor to be equal size"),
]


@LIBRARIES
@pytest.mark.parametrize(("batch", "error", "message"), COLLATE_ERRORS)
def test_what_cannot_be_collated_is_an_error(lib: Any, batch: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        lib.utils.data.default_collate(batch)


# ---- errors ----------------------------------------------------------------------------------------------------------


def load(lib: Any, **options: Any) -> Any:
    return lib.utils.data.DataLoader(range(10), **options)


def stream(lib: Any, **options: Any) -> Any:
    return lib.utils.data.DataLoader(endless(lib), **options)


def endless(lib: Any) -> Any:
    class Endless(lib.utils.data.IterableDataset):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[int]:
            return iter(int, 1)

    return Endless()


ERRORS = [
    (
        lambda lib: load(lib, batch_size=0),
        ValueError,
        "batch_size should be a positive integer value, but got batch_size=0",
    ),
    (
        lambda lib: load(lib, batch_size=2.5),
        ValueError,
        "batch_size should be a positive integer value, but got batch_size=2.5",
    ),
    (lambda lib: load(lib, drop_last=1), ValueError, "drop_last should be a boolean value, but got drop_last=1"),
    (
        lambda lib: load(lib, sampler=range(2), shuffle=True),
        ValueError,
        "sampler option is mutually exclusive with shuffle",
    ),
    *[
        (
            lambda lib, o=o: load(lib, batch_sampler=[[0]], **o),
            ValueError,
            "batch_sampler option is mutually exclusive with batch_",
        )
        for o in ({"batch_size": 2}, {"shuffle": True}, {"sampler": range(2)}, {"drop_last": True})
    ],
    (
        lambda lib: load(lib, batch_size=None, drop_last=True),
        ValueError,
        "batch_size=None option disables auto-batching",
    ),
    (lambda lib: load(lib, num_workers=-1), ValueError, "num_workers option should be non-negative"),
    (lambda lib: load(lib, timeout=-1), ValueError, "timeout option should be non-negative"),
    (lambda lib: load(lib, prefetch_factor=2), ValueError, "prefetch_factor option .*num_workers > 0"),
    (lambda lib: load(lib, persistent_workers=True), ValueError, "persistent_workers option needs .*num_workers > 0"),
    (lambda lib: load(lib, multiprocessing_context="fork"), ValueError, "multiprocessing_context .*num_workers > 0"),
    (
        lambda lib: stream(lib, shuffle=True),
        ValueError,
        "IterableDataset: expected unspecified shuffle option, but got shuffle=True",
    ),
    (
        lambda lib: stream(lib, sampler=[1]),
        ValueError,
        "IterableDataset: expected unspecified sampler option, but got sampler=",
    ),
    (
        lambda lib: stream(lib, batch_sampler=[[1]]),
        ValueError,
        "IterableDataset: expected unspecified batch_sampler option",
    ),
    (
        lambda lib: lib.utils.data.DataLoader([], shuffle=True),
        ValueError,
        "num_samples should be a positive integer value, but got",
    ),
    (
        lambda lib: lib.utils.data.RandomSampler([1], 1),
        TypeError,
        "replacement should be a boolean value, but got replacement=1",
    ),
    (
        lambda lib: lib.utils.data.RandomSampler([1], num_samples=0),
        ValueError,
        "num_samples should be a positive integer value",
    ),
    (
        lambda lib: lib.utils.data.WeightedRandomSampler([1], 0),
        ValueError,
        "num_samples should be a positive integer value",
    ),
    (lambda lib: lib.utils.data.WeightedRandomSampler([1], 1, 1), ValueError, "replacement should be a boolean value"),
    (
        lambda lib: lib.utils.data.WeightedRandomSampler([[1]], 1),
        ValueError,
        "weights should be a 1d sequence but given weights",
    ),
    (
        lambda lib: lib.utils.data.TensorDataset(lib.zeros(2), lib.zeros(3)),
        AssertionError,
        "Size mismatch between tensors",
    ),
    (lambda lib: lib.utils.data.ConcatDataset([]), AssertionError, "datasets should not be an empty iterable"),
    (lambda lib: lib.utils.data.ConcatDataset([endless(lib)]), AssertionError, "not support IterableDataset"),
    (
        lambda lib: lib.utils.data.random_split(range(10), [3, 3]),
        ValueError,
        "Sum of input lengths does not equal the length of",
    ),
    (
        lambda lib: lib.utils.data.random_split(range(10), [1.5, -0.5]),
        ValueError,
        "Fraction at index 0 is not between 0 and 1",
    ),
    (
        lambda lib: lib.utils.data.Dataset()[0],
        NotImplementedError,
        "Dataset should implement __getitem__|define __getitem__",
    ),
    (lambda lib: iter(lib.utils.data.IterableDataset()), TypeError, "abstract class IterableDataset .*__iter__"),
    (lambda lib: list(load(lib, timeout=1)), AssertionError, "timeout"),
    (lambda lib: load(lib, prefetch_factor=0), ValueError, "prefetch_factor option .*num_workers > 0"),
    (lambda lib: lib.utils.data.TensorDataset(lib.tensor(1)), IndexError, "Dimension specified as 0|out of range"),
    (lambda lib: len(lib.utils.data.TensorDataset()), IndexError, "tuple index out of range"),
    (lambda lib: list(lib.utils.data.ChainDataset([[1]])), AssertionError, "ChainDataset only supports IterableDataset"),
    (lambda lib: len(lib.utils.data.ChainDataset([[1]])), AssertionError, "ChainDataset only supports IterableDataset"),
    (lambda lib: lib.utils.data.StackDataset(), ValueError, "At least one dataset should be passed"),
    (lambda lib: lib.utils.data.StackDataset([1], a=[1]), ValueError, "Supported either .*dict.* like input/output, but both"),
    (lambda lib: lib.utils.data.StackDataset([1], [1, 2]), ValueError, "Size mismatch between datasets"),
    (
        lambda lib: lib.utils.data.StackDataset(stingy(lib)).__getitems__([0, 1]),
        ValueError,
        "Nested dataset's output size mismatch. Expected 2, got 1",
    ),
    (lambda lib: half_a_subset(lib)([1], [0]), NotImplementedError, "overrides __getitem__ but not __getitems__"),
]


def stingy(lib: Any) -> Any:
    class Stingy(lib.utils.data.Dataset):  # type: ignore[misc, name-defined]
        def __getitems__(self, indices: list[int]) -> list[int]:
            return indices[:1]

        def __len__(self) -> int:
            return 2

    return Stingy()


def half_a_subset(lib: Any) -> Any:
    class Half(lib.utils.data.Subset):  # type: ignore[misc, name-defined]
        def __getitem__(self, index: int) -> int:
            return index

    return Half


@LIBRARIES
@pytest.mark.parametrize(("make", "error", "message"), ERRORS)
def test_errors_are_torchs(lib: Any, make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make(lib)


OWN_ERRORS = [
    (lambda: mg.utils.data.TensorDataset(np.zeros(2)), TypeError, "TensorDataset expects tensors, got ndarray"),
    (lambda: iter(mg.utils.data.Sampler()), NotImplementedError, "Sampler does not define __iter__"),
    (lambda: list(load(mg, shuffle=True, generator=3)), TypeError, "generator must be a Generator, but got int"),
]


@pytest.mark.parametrize(("make", "error", "message"), OWN_ERRORS)
def test_errors_of_our_own(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@LIBRARIES
@pytest.mark.parametrize("fast", [False, True])
def test_a_number_out_of_range_is_an_index_error(lib: Any, fast: bool) -> None:
    dataset = digits(lib) if fast else one_by_one(lib, digits(lib))
    with pytest.raises(IndexError, match="index 10 is out of bounds"):
        list(lib.utils.data.DataLoader(dataset, batch_sampler=[[0, 10]]))


@LIBRARIES
def test_pinning_memory_without_an_accelerator_is_a_warning(lib: Any) -> None:
    loader = load(lib, pin_memory=True, pin_memory_device="cuda")
    with (
        pytest.warns(UserWarning, match="no accelerator is found, then device pinned memory won't be used"),
        pytest.warns(UserWarning, match="pin_memory_device is deprecated"),
    ):
        assert len(list(loader)) == 10
    assert len(list(load(lib, pin_memory_device="cuda"))) == 10  # nothing to warn of


@LIBRARIES
def test_a_stream_that_is_longer_than_it_says_is_a_warning(lib: Any) -> None:
    class Stream(lib.utils.data.IterableDataset):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[int]:
            return iter(range(4))

        def __len__(self) -> int:
            return 3

    loader = lib.utils.data.DataLoader(Stream())
    assert len(list(loader)) == 4  # nobody has asked
    assert len(loader) == 3
    with pytest.warns(UserWarning, match=r"Length of IterableDataset .* was reported to be 3.*but 4 samples have been fetched"):
        list(loader)


@pytest.mark.parametrize("replacement", [True, False])
def test_the_first_sample_of_very_many(replacement: bool) -> None:
    """Nothing is prepared for those that may follow: makemore and minGPT ask for 10 ** 10."""
    tracemalloc.start()
    sampler = mg.utils.data.RandomSampler(range(300), replacement, int(1e10), mg.Generator().manual_seed(0))
    first = list(itertools.islice(sampler, 700))
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()
    theirs = torch.utils.data.RandomSampler(range(300), replacement, int(1e10), torch.Generator().manual_seed(0))
    assert first == list(itertools.islice(theirs, 700))
    assert len(sampler) == 10**10
