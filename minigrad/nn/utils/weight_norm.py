"""Weights computed anew before each call: by length and direction (`weight_norm`), or with the largest singular value 1.

A *reparametrisation* takes a parameter out of a module, registers what it is computed from in its place, and computes it in
a forward pre-hook.
"""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from minigrad.autograd import no_grad
from minigrad.nn import functional as F
from minigrad.nn.conv import ConvTranspose1d, ConvTranspose2d
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensors.sampling import randn
from minigrad.tensors.tensor import Tensor

M = TypeVar("M", bound=Module)


class _Reparametrisation:
    """What both share: the name of the parameter, and the hook."""

    called: str  # the function that makes it
    parts: tuple[str, ...]  # what stands behind the name, in the names that take its place

    def __init__(self, name: str) -> None:
        self.name = name

    def compute_weight(self, module: Module) -> Tensor:
        """The weight, from the parts in its place."""
        raise NotImplementedError

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))

    def register(self, module: Module) -> None:
        """Become a hook of a module."""
        if _hook_of(type(self), module, self.name) is not None:
            raise RuntimeError(f"Cannot register two {self.called} hooks on the same parameter {self.name}")
        module.register_forward_pre_hook(self)

    def remove(self, module: Module, weight: Tensor) -> None:
        """Put the weight back as a parameter."""
        for part in ("", *self.parts):
            delattr(module, self.name + part)
        module.register_parameter(self.name, Parameter(weight.detach()))


def _hook_of(kind: type, module: Module, name: str) -> int | None:
    """Where among the hooks of a module that of this kind and name is."""
    found = (i for i, (hook, _) in module._forward_pre_hooks.items() if isinstance(hook, kind) and hook.name == name)  # type: ignore[attr-defined]
    return next(found, None)


def _taken_out(kind: type[_Reparametrisation], module: M, name: str) -> Any:
    """The hook, which the module has no longer."""
    place = _hook_of(kind, module, name)
    if place is None:
        raise ValueError(f"{kind.called} of '{name}' not found in {module}")
    return module._forward_pre_hooks.pop(place)[0]


# ---- length and direction ----------------------------------------------------------------------------------------------


class WeightNorm(_Reparametrisation):
    """w = g · v / |v|, the norm being taken for each index of dimension `dim`, or of all of v if that is -1."""

    called = "weight_norm"
    parts = ("_g", "_v")

    def __init__(self, name: str, dim: int) -> None:
        super().__init__(name)
        self.dim = dim

    def norm(self, v: Tensor) -> Tensor:
        """The norm over all dimensions but `dim`."""
        if self.dim == -1:
            return v.norm()
        others = tuple(i for i in range(v.dim()) if i != self.dim)
        return v.norm(2, others, keepdim=True) if others else v.abs()

    def compute_weight(self, module: Module) -> Tensor:
        """The weight, from the parts in its place."""
        g, v = (getattr(module, self.name + part) for part in self.parts)
        return v * (g / self.norm(v))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Learn length and direction of a weight apart (Salimans and Kingma, 2016), as torch.nn.utils.weight_norm.

    Parameters
    ----------
    module : Module
        Its parameter `name` is replaced by `name`_g, the lengths, and `name`_v, the directions.
    name : str
    dim : int or None
        For each index of this dimension there is a length; one for all with None.

    Returns
    -------
    Module
        The same.

    Raises
    ------
    RuntimeError
        If the parameter has been replaced already.

    Examples
    --------
    >>> import warnings
    >>> import minigrad as torch
    >>> with warnings.catch_warnings(action="ignore"):  # torch prefers parametrizations.weight_norm, which is not here
    ...     net = weight_norm(torch.nn.Linear(3, 2))
    >>> {name: list(p.shape) for name, p in net.named_parameters()}
    {'bias': [2], 'weight_g': [2, 1], 'weight_v': [2, 3]}
    """
    warnings.warn("`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
                  FutureWarning, stacklevel=2)
    fn = WeightNorm(name, -1 if dim is None else dim)
    fn.register(module)
    weight = getattr(module, name)
    del module._parameters[name]
    module.register_parameter(f"{name}_g", Parameter(fn.norm(weight).detach()))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    setattr(module, name, fn.compute_weight(module))
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Undo `weight_norm`."""
    fn = _taken_out(WeightNorm, module, name)
    fn.remove(module, fn.compute_weight(module))
    return module


# ---- the largest singular value ----------------------------------------------------------------------------------------


class SpectralNorm(_Reparametrisation):
    """w = w_orig / σ, σ = uᵀ W v being the largest singular value, with vectors u and v that each call in training improves."""

    _version = 1
    called = "spectral_norm"
    parts = ("_u", "_v", "_orig")

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__(name)
        if n_power_iterations <= 0:
            raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}")
        self.n_power_iterations, self.dim, self.eps = n_power_iterations, dim, eps

    def matrix(self, weight: Tensor) -> Tensor:
        """The weight as a matrix, with `dim` for its rows."""
        return weight.movedim(self.dim, 0).flatten(1)

    def compute_weight(self, module: Module, improve: bool | None = None) -> Tensor:
        """The weight, from the parts in its place; in training, or if told, after further power iterations."""
        u, v, weight = (getattr(module, self.name + part) for part in self.parts)
        matrix = self.matrix(weight)
        if module.training if improve is None else improve:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(matrix.t() @ u, dim=0, eps=self.eps))
                    u.copy_(F.normalize(matrix @ v, dim=0, eps=self.eps))
            u, v = u.clone(), v.clone()  # the next call may change them before this one's backward pass
        return weight / u.dot(matrix @ v)

    def note_version(self, module: Module, state_dict: Any, prefix: str, local_metadata: dict[str, Any]) -> None:
        """A hook of `state_dict`."""
        local_metadata.setdefault("spectral_norm", {})[f"{self.name}.version"] = self._version


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divide a weight by its largest singular value (Miyato et al., 2018), as torch.nn.utils.spectral_norm.

    Parameters
    ----------
    module : Module
        Its parameter `name` is replaced by `name`_orig; the vectors are buffers, `name`_u and `name`_v.
    name : str
    n_power_iterations : int
        How often the vectors are improved in each call in training.
    eps : float
        Norms of the vectors are taken to be at least that.
    dim : int, optional
        The dimension that makes the rows of a matrix. Default: 0, but 1 for transposed convolutions.

    Returns
    -------
    Module
        The same.

    Raises
    ------
    RuntimeError
        If the parameter has been replaced already.
    ValueError
        If there is no such parameter, or `n_power_iterations` is not positive.
    """
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d)) else 0
    fn = SpectralNorm(name, n_power_iterations, dim, eps)
    fn.register(module)
    weight = module._parameters[name]
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    with no_grad():
        u, v = (F.normalize(randn(n, dtype=weight.dtype), dim=0, eps=eps) for n in fn.matrix(weight).shape)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.data)
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module._register_state_dict_hook(fn.note_version)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Undo `spectral_norm`."""
    fn = _taken_out(SpectralNorm, module, name)
    with no_grad():
        weight = fn.compute_weight(module, improve=False)
    fn.remove(module, weight)
    for place, (hook, _) in list(module._state_dict_hooks.items()):
        if getattr(hook, "__self__", None) is fn:
            del module._state_dict_hooks[place]
    return module
