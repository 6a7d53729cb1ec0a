"""What all optimisers share: groups of parameters, a state for each parameter, and how both are saved and loaded."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from functools import lru_cache
from inspect import signature
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from minigrad.arrays.dtypes import float64, get_default_dtype
from minigrad.arrays.quiet import SILENT
from minigrad.autograd import count_change, enable_grad, wrap
from minigrad.optim.hooks import Hooked
from minigrad.tensors.tensor import Tensor, zero_for_good

Array: TypeAlias = np.ndarray[Any, Any]
Group: TypeAlias = dict[str, Any]
Params: TypeAlias = Iterable[Tensor] | Iterable[Group] | Iterable[tuple[str, Tensor]]


required: Any = type("_Required", (), {"__repr__": lambda self: "<required parameter>"})()  # a default of older optimisers


class Optimizer(Hooked):
    """Base class of the optimisers.

    A subclass defines `update`, which changes one parameter. It works on NumPy arrays, so autograd records nothing.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor) pairs, or of dict
        What to optimise. A dict is a group: "params" holds its parameters, and other keys override `defaults` for them.
    defaults : dict
        The options, with their values for groups that do not set them.

    Attributes
    ----------
    param_groups : list of dict
        The groups. An option that is changed here applies from the next step on.
    state : dict
        Tensor -> what the optimiser remembers about it.

    Raises
    ------
    TypeError
        If `params` is a single tensor, or holds something that is not a tensor.
    ValueError
        If `params` is empty, or holds the result of an operation, or holds one tensor in two groups.
    """

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError("params argument given to the optimizer should be an iterable of Tensors or dicts, but got a Tensor: "
                            "write [tensor]")
        self.__setstate__({"defaults": defaults, "state": defaultdict(dict), "param_groups": []})
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.defaults: dict[str, Any]
        self.state: defaultdict[Tensor, dict[str, Any]]
        self.param_groups: list[Group]
        self._pool: Array = np.empty((2, 0), np.uint8)  # the memory for intermediate results, and the views of it
        self._scratch: dict[Tensor, tuple[Array, Array, Array]] = {}
        self.__dict__.update(state)
        self._start_hooks()
        for group in self.param_groups:  # options that checkpoints of older torches lack are as usual
            for name, parameter in signature(type(self)).parameters.items():
                if name in self.defaults:
                    group.setdefault(name, parameter.default)
        for entry in self.state.values():
            if "step" in entry and not isinstance(entry["step"], Tensor):
                entry["step"] = _step_count(entry["step"])

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            options = "".join(f"    {name}: {group[name]}\n" for name in sorted(group) if name != "params")
            text += f"\nParameter Group {i}\n{options}"
        return text + ")"

    def add_param_group(self, param_group: Group) -> None:
        """Add a group of parameters, to train layers that were frozen so far, for example.

        Parameters
        ----------
        param_group : dict
            "params", and the options that differ from the defaults.

        Raises
        ------
        TypeError, ValueError
            As described in the class.
        NotImplementedError
            If `differentiable` or `capturable` is true.
        RuntimeError
            If `foreach` and `fused` are.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group).__name__}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError("optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                            "will change between runs. Please use a list instead.")
        params = [params] if isinstance(params, Tensor) else list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        if names and len(names) != len(params):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")

        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for name, default in self.defaults.items():
            if param_group.setdefault(name, default) is required:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
        self._check_group(param_group)
        self.param_groups.append(param_group)

    def _check_group(self, group: Group) -> None:
        params = group["params"]
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if not (p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor: give the optimizer the tensor it was computed from")
        if len(set(params)) < len(params):
            warnings.warn("optimizer contains a parameter group with duplicate parameters; in future, this will cause an error",
                          stacklevel=5)
        for name in ("differentiable", "capturable"):
            if group.get(name):
                raise NotImplementedError(f"{type(self).__name__}: {name}={group[name]!r} is not supported; omit it")
        if group.get("foreach") and group.get("fused"):
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        for other in self.param_groups:
            if not set(other["params"]).isdisjoint(params):
                raise ValueError("some parameters appear in more than one parameter group")
            if ("param_names" in other) != ("param_names" in group):
                raise ValueError("all optimizer param groups should be with/without names")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients: the next `backward` starts anew instead of adding to them.

        Parameters
        ----------
        set_to_none : bool
            Set `.grad` to None, which makes `step` skip parameters that get no gradient. Otherwise fill it with zeros.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p._grad = None
                elif p.grad is not None:
                    zero_for_good(p.grad)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            Called first: computes the loss anew, with its gradients, and returns it.

        Returns
        -------
        What `closure` returned.
        """
        self._opt_called = True  # schedulers ask for it
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        SILENT.copy().run(self._update_all)  # like torch: a run that diverges shows inf and nan, not a warning
        return loss

    def _update_all(self) -> None:
        scratch = self._scratch
        for group in self.param_groups:
            for p in group["params"]:
                grad = p._grad
                if grad is None:
                    continue
                g, array = grad.array, p.array
                if g.shape != array.shape:
                    raise RuntimeError(f"{type(self).__name__}: a parameter of shape {list(array.shape)} has a gradient of shape "
                                       f"{list(g.shape)}; they must be equal")
                known = scratch.get(p)
                if known is None or known[0] is not array:
                    known = self._new_scratch(p)
                self.update(p, g, group, known[1], known[2])
                count_change(p)  # a backward that still needs the old values will notice

    def update(self, p: Tensor, g: Array, group: Group, held: Array, spare: Array) -> None:
        """Change `p.array` in place, according to its gradient `g` and the options in `group`; subclasses define it.

        `g` is not to be changed. `held` and `spare` are arrays like `p.array`, in shape, dtype and memory layout, for
        intermediate results: `descent` holds the gradient in the first where it has to change it, and every function that
        is given `spare` may overwrite it. With ``out=`` (the last argument of a ufunc) nothing else has to be allocated.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no update(p, g, group, held, spare)")

    def _new_scratch(self, p: Tensor) -> tuple[Array, Array, Array]:
        """The array of `p`, and two like it for intermediate results.

        All parameters share the same memory for them, one after the other. A step of SGD on the network 784-512-512-10
        (2.7 MB) takes 168 µs with it, 204 with arrays for each parameter, which fall out of the cache in between,
        and 202 with new ones each time. To go through the arrays in blocks that stay in the cache would cost Adam 5 to
        15 % on layers up to 1.6 MB, and bring 15 to 35 % from 6 MB on.
        """
        size = 64 * (1 + max(q.array.nbytes for q in self._params(self.param_groups)) // 64)  # keeps both aligned
        if self._pool.shape[1] < size:
            self._pool = np.empty((2, size), np.uint8)
        strides = np.empty_like(p.array).strides
        held, spare = (np.ndarray(p.array.shape, p.array.dtype, room, 0, strides) for room in self._pool)
        self._scratch[p] = (p.array, held, spare)
        return self._scratch[p]

    def state_dict(self) -> dict[str, Any]:
        """The state in torch's form: ``{"state": {0: {...}}, "param_groups": [{..., "params": [0, 1]}]}``.

        Parameters are numbered, through all groups. The tensors are those the optimiser works on, not copies.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers = {p: number for number, p in enumerate(self._params(self.param_groups))}
        groups = []
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            groups.append({**options, "params": [numbers[p] for p in group["params"]]})
        saved = {"state": {numbers.get(p, p): s for p, s in self.state.items()}, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            changed = hook(self, saved)
            saved = saved if changed is None else changed
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, options included.

        Parameters
        ----------
        state_dict : dict
            Its groups must have as many parameters, in the same order, as those of this optimiser. It is copied.

        Raises
        ------
        ValueError
            If the number of groups, or of parameters in one of them, is another.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        groups = deepcopy(state_dict["param_groups"])
        sizes = [len(group["params"]) for group in groups]
        expected = [len(group["params"]) for group in self.param_groups]
        if len(sizes) != len(expected):
            raise ValueError(f"loaded state dict has a different number of parameter groups: {len(sizes)}, but the optimizer has "
                             f"{len(expected)}")
        if sizes != expected:
            raise ValueError("loaded state dict contains a parameter group that doesn't match the size of optimizer's group: they "
                             f"hold {sizes} parameters, those of the optimizer {expected}")
        owners = dict(zip(self._params(groups), self._params(self.param_groups), strict=True))
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for number, values in state_dict["state"].items():
            p = owners.get(number)  # a number no group knows is kept as it is, as in torch
            state[number if p is None else p] = {name: _copied(name, value, p) for name, value in values.items()}
        for group, own in zip(groups, self.param_groups, strict=True):
            group["params"] = own["params"]
            if "param_names" in own:
                group.setdefault("param_names", own["param_names"])
        self.__setstate__({"state": state, "param_groups": groups})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    @staticmethod
    def _params(groups: list[Group]) -> Iterable[Any]:
        return chain.from_iterable(group["params"] for group in groups)


# ---- what the updates are made of ------------------------------------------------------------------------------------


def scalar(value: Any) -> Any:
    """A number of a group, which may also be a tensor of one element."""
    return value.item() if isinstance(value, Tensor) else value


@lru_cache(maxsize=256)
def number(value: float, dtype: np.dtype[Any]) -> Array:
    """`value` as an array, which a ufunc takes 0.4 µs faster than a Python number: as long as it adds 2,000 elements."""
    array = np.array(value, dtype)
    array.flags.writeable = False
    return array


def descent(array: Array, g: Array, maximize: bool, weight_decay: float | Tensor, held: Array, spare: Array) -> Array:
    """The gradient, turned round to `maximize`, and with `weight_decay` times the parameter added."""
    if maximize:
        g = np.negative(g, held)
    if weight_decay != 0:
        g = np.add(g, np.multiply(array, number(scalar(weight_decay), held.dtype), spare), held)
    return g


def decayed_descent(array: Array, g: Array, group: Group, held: Array, spare: Array) -> Array:
    """As `descent`; but weight decay that is decoupled shrinks the parameter itself: ``p = p - lr * weight_decay * p``."""
    decay, decoupled = group["weight_decay"], group["decoupled_weight_decay"]
    g = descent(array, g, group["maximize"], 0 if decoupled else decay, held, spare)
    if decoupled and decay != 0:
        np.multiply(array, number(1 - scalar(group["lr"]) * scalar(decay), array.dtype), array)
    return g


def move_towards(mean: Array, g: Array, weight: float, spare: Array) -> None:
    """``mean += weight * (g - mean)``, with torch's roundings: for a weight of 1, `mean` is exactly `g`."""
    np.subtract(g, mean, spare)
    if weight < 0.5:
        np.add(mean, np.multiply(spare, number(weight, spare.dtype), spare), mean)
    else:
        np.subtract(g, np.multiply(spare, number(1 - weight, spare.dtype), spare), mean)


def decay_squares(mean: Array, g: Array, keep: float, spare: Array) -> None:
    """``mean = keep * mean + (1 - keep) * g²``."""
    np.multiply(np.square(g, spare), number(1 - keep, spare.dtype), spare)
    np.add(np.multiply(mean, number(keep, spare.dtype), mean), spare, mean)


def count_step(entry: dict[str, Any]) -> float:
    """Add one to the steps that an entry of the state counts."""
    array = entry["step"].array
    steps = array.item() + 1
    array.fill(steps)
    return steps


def first_entry(p: Tensor, *names: str, value: float = 0.0) -> dict[str, Any]:
    """An entry of the state before the first step: no steps, and buffers like the parameter."""
    return {"step": _step_count(0), **{name: wrap(np.full_like(p.array, value)) for name in names}}


def _step_count(value: float) -> Tensor:
    return wrap(np.array(float(value), np.float64 if get_default_dtype() is float64 else np.float32))


def check_numbers(lr: float | Tensor, **values: Any) -> None:
    """Raise a ValueError unless all are at least 0, and `lr` is one number."""
    if isinstance(lr, Tensor) and lr.array.size != 1:
        raise ValueError(f"Tensor lr must be 1-element, got shape {list(lr.array.shape)}")
    for name, value in {"learning rate": lr, **{f"{name} value": value for name, value in values.items()}}.items():
        if not value >= 0.0:  # nan, too
            raise ValueError(f"Invalid {name}: {value}; it must not be negative")


def check_betas(betas: Sequence[Any]) -> None:
    """Raise a ValueError unless all are at least 0 and below 1."""
    for i, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}; it must be at least 0 and below 1")


def _copied(name: str, value: Any, p: Tensor | None) -> Any:
    """A copy of one entry of the state, in the parameter's dtype (but a count of steps keeps its own)."""
    if not isinstance(value, Tensor):
        return deepcopy(value)
    dtype = value.array.dtype if p is None or name == "step" else p.array.dtype
    return value.detach().to(dtype).clone()
