"""A module as a function of its parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minigrad.nn.module import Module
from minigrad.tensors.tensor import Tensor


def functional_call(
    module: Module, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: dict[str, Any] | None = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:
    """Call `module` with other parameters and buffers than its own.

    Parameters
    ----------
    module : Module
        What is called; afterwards it is as before.
    parameter_and_buffer_dicts : dict of str to Tensor, or sequence of such
        The tensors, under the names that `named_parameters` and `named_buffers` give. The module's own stand for those that are
        left out; names that it does not have count for nothing. If it assigns new tensors while it is called, they are put into
        the dictionary.
    args : tuple, or any other single argument
        The positional arguments.
    kwargs : dict, optional
        The others.
    tie_weights : bool
        What the module has under two names is replaced under both if it is named once.
    strict : bool
        Refuse dictionaries that do not have all of the names, or others.

    Raises
    ------
    ValueError
        If several dictionaries have the same name, or tied tensors would be replaced by different ones.
    RuntimeError
        By `strict`.

    Examples
    --------
    >>> import minigrad as torch
    >>> layer = torch.nn.Linear(2, 1)
    >>> functional_call(layer, {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}, torch.tensor([3.0, 4.0]))
    tensor([7.])
    """
    given = _one_dict(parameter_and_buffer_dicts)
    replacements = _tied(module, given) if tie_weights else given
    if strict:
        _check_names(module, replacements)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, replacements, given):
        return module(*args, **(kwargs or {}))


def _one_dict(dicts: Any) -> dict[str, Tensor]:
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, (list, tuple)) or not all(isinstance(d, dict) for d in dicts):
        raise ValueError(f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(dicts)}")
    repeated = [name for name, count in Counter(name for d in dicts for name in d).items() if count > 1]
    if repeated:
        raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    return {name: tensor for d in dicts for name, tensor in d.items()}


def _named_tensors(module: Module) -> dict[str, Tensor]:
    """Parameters and buffers under all of their names."""
    return {**dict(module.named_parameters(remove_duplicate=False)), **dict(module.named_buffers(remove_duplicate=False))}


def _tied(module: Module, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """What is given, also under the other names of what it replaces."""
    names: dict[int, list[str]] = {}
    for name, tensor in _named_tensors(module).items():
        names.setdefault(id(tensor), []).append(name)
    result = dict(given)
    for tied in names.values():
        values = [given[name] for name in tied if name in given]
        if any(value is not values[0] for value in values):
            raise ValueError(f"functional_call got multiple values for keys {sorted(tied)}, which are tied. Consider using "
                             "tie_weights=False")
        result |= {name: values[0] for name in tied if values}
    return result


def _check_names(module: Module, given: dict[str, Tensor]) -> None:
    known = _named_tensors(module)
    wrong = {"Unexpected": [name for name in given if name not in known], "Missing": [name for name in known if name not in given]}
    problems = [f"{kind} key(s): {', '.join(map(repr, names))}." for kind, names in wrong.items() if names]
    if problems:
        raise RuntimeError(f"Error(s) in reparametrizing for {type(module).__name__}:\n\t" + "\n\t".join(problems))


@contextmanager
def _replaced(module: Module, replacements: dict[str, Tensor], given: dict[str, Tensor]) -> Iterator[None]:
    """Put `replacements` into the module for the extent of the block; what it has made of them then goes into `given`."""
    places: list[tuple[str, Any, str]] = []
    for name in _named_tensors(module):
        path, _, key = name.rpartition(".")
        owner = module.get_submodule(path)
        if name in replacements:
            places.append((name, owner._parameters if key in owner._parameters else owner._buffers, key))
    own = [table[key] for _, table, key in places]
    try:
        for name, table, key in places:
            table[key] = replacements[name]
        yield
    finally:
        given |= {name: table[key] for name, table, key in places if name in given}
        for (_, table, key), tensor in zip(places, own, strict=True):
            table[key] = tensor
