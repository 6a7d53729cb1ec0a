"""How a module is saved and loaded: `state_dict`, `load_state_dict`, and the methods and hooks that customise them."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from minigrad.autograd import RemovableHandle, no_grad
from minigrad.nn.parameter import Parameter
from minigrad.tensors.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.nn.hooks import Hook
    from minigrad.nn.module import Module


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` returns: the names that did not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not any(self):
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Stateful:
    """The part of `Module` that saves and loads."""

    _version: int = 1  # of the format of a class's state; a class that changes the format raises it
    _modules: dict[str, Module | None]
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _non_persistent_buffers_set: set[str]
    _state_dict_pre_hooks: dict[int, Hook]
    _state_dict_hooks: dict[int, tuple[Hook, bool]]  # the hook, and whether it has to change the dictionary in place
    _load_state_dict_pre_hooks: dict[int, tuple[Hook, bool]]  # the hook, and whether it wants the module
    _load_state_dict_post_hooks: dict[int, Hook]

    # ---- saving ------------------------------------------------------------------------------------------------------

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> dict[str, Any]:
        """The parameters and persistent buffers of this module and of all modules inside it, by name. They share its memory.

        Parameters
        ----------
        destination : dict, optional
            Where to put them. Default: a new `OrderedDict`, whose `_metadata` names the version of each module's state.
        prefix : str
            Precedes each name.
        keep_vars : bool
            Give the parameters themselves, instead of tensors detached from the graph.
        """
        if args:
            warnings.warn("Positional args are being deprecated, use kwargs instead: state_dict(destination=, prefix=, keep_vars=)",
                          FutureWarning, stacklevel=2)
            destination, prefix, keep_vars = [*args, *[destination, prefix, keep_vars][len(args) :]]
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook, in_place in self._state_dict_hooks.values():
            changed = hook(self, destination, prefix, metadata)
            if changed is not None:
                if in_place:
                    raise RuntimeError("state_dict post-hook must return None")
                destination = changed
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put the state of this module alone into `destination`. Classes may override this."""
        for name, tensor in self._state().items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if self._overrides("get_extra_state"):
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

    def _state(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers of this module alone."""
        buffers = {k: v for k, v in self._buffers.items() if k not in self._non_persistent_buffers_set}
        return {k: v for k, v in {**self._parameters, **buffers}.items() if v is not None}

    def get_extra_state(self) -> Any:
        """Return what a class saves beside its tensors. Such a class also defines `set_extra_state`."""
        raise RuntimeError("Reached a code path in Module.get_extra_state() that should never be called.")

    def set_extra_state(self, state: Any) -> None:
        """Restore what `get_extra_state` returned."""
        raise RuntimeError("Reached a code path in Module.set_extra_state() that should never be called.")

    def _overrides(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(Stateful, method)

    # ---- loading -----------------------------------------------------------------------------------------------------

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> IncompatibleKeys:
        """Copy values into the parameters and buffers of the same names. If anything does not fit, nothing is changed.

        Parameters
        ----------
        state_dict : mapping of str to Tensor
            As returned by `state_dict`.
        strict : bool
            Refuse missing and unexpected names.
        assign : bool
            Put the given tensors in place of the parameters and buffers, instead of copying their values.

        Returns
        -------
        IncompatibleKeys
            Names that were missing and names that were not expected.

        Raises
        ------
        RuntimeError
            One message for all names that are missing, not expected, or of another shape.
        TypeError
            If `state_dict` is no mapping.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", {})
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        found = IncompatibleKeys(missing, unexpected)

        def load(module: Any, given: Any, prefix: str) -> None:
            own = metadata.get(prefix[:-1], {}) | ({"assign_to_params_buffers": True} if assign else {})
            module._load_from_state_dict(given, prefix, own, True, missing, unexpected, errors)
            for name, child in module._modules.items():
                if child is not None:
                    inside = f"{prefix}{name}."
                    load(child, OrderedDict((k, v) for k, v in given.items() if k.startswith(inside)), inside)
            for hook in module._load_state_dict_post_hooks.values():
                if hook(module, found) is not None:
                    raise AssertionError("Hooks registered with register_load_state_dict_post_hook are not expected to return "
                                         "new values; change incompatible_keys in place if need be")

        with self._unchanged_on_error():
            load(self, OrderedDict(state_dict), "")  # a copy, in which classes and hooks may rename
            wrong = {"Missing": missing, "Unexpected": unexpected} if strict else {}
            errors[:0] = [f"{what} key(s) in state_dict: " + ", ".join(f'"{name}"' for name in names) + ". "
                          for what, names in wrong.items() if names]  # fmt: skip
            if errors:
                raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(errors))
        return found

    @contextmanager
    def _unchanged_on_error(self) -> Iterator[None]:
        """Restore every tensor and its values if the block raises.

        A class may do anything in its own `_load_from_state_dict`, so the values are copied first.
        """
        before = [(module._parameters if name in module._parameters else module._buffers, name, tensor)
                  for module in self.modules() for name, tensor in module._state().items()]  # type: ignore[attr-defined]  # fmt: skip
        values = {tensor: (tensor.array, tensor.array.copy("K"), tensor._version) for _, _, tensor in before}
        try:
            yield
        except BaseException:
            for home, name, tensor in before:
                home[name] = tensor
            for tensor, (array, old, version) in values.items():
                array[...] = old
                tensor.array, tensor._version_cell[0] = array, version
            raise

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: list[str],
                              unexpected_keys: list[str], error_msgs: list[str]) -> None:  # fmt: skip
        """Load the state of this module alone. Classes may override this.

        Parameters
        ----------
        state_dict : dict
            A copy, which may be changed. A child gets only the names that begin with its prefix.
        prefix : str
            Precedes the names of this module.
        local_metadata : dict
            "version" of the state, if known, and "assign_to_params_buffers" if tensors are to be put in place.
        strict : bool
            Take note of names that are missing or not expected.
        missing_keys, unexpected_keys, error_msgs : list of str
            To be added to.
        """
        for hook, with_module in self._load_state_dict_pre_hooks.values():
            hook(*[self] * with_module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        state, assign = self._state(), local_metadata.get("assign_to_params_buffers", False)
        for name, tensor in state.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
            elif error := _mismatch(key, tensor, state_dict[key]):
                error_msgs.append(error)
            elif assign:
                setattr(self, name, _in_place_of(tensor, state_dict[key]))
            else:
                with no_grad():
                    tensor.copy_(state_dict[key].reshape(tensor.shape))

        extra = prefix + EXTRA_STATE
        if self._overrides("set_extra_state"):
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        for key in state_dict if strict else ():
            name, _, below = key[len(prefix) :].partition(".")
            if key.startswith(prefix) and key != extra and name not in (self._modules if below else state):
                unexpected_keys.append(key)

    # ---- hooks -------------------------------------------------------------------------------------------------------

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before the module's state is collected."""
        return RemovableHandle(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` afterwards. The hook may change `state_dict` in place."""
        return RemovableHandle(self._state_dict_hooks, (hook, True))

    def _register_state_dict_hook(self, hook: Hook) -> RemovableHandle:
        """As `register_state_dict_post_hook`, but a hook of the outermost module may return another dictionary."""
        return RemovableHandle(self._state_dict_hooks, (hook, False))

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)`` first."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook: Hook, with_module: bool = False) -> RemovableHandle:
        """As `register_load_state_dict_pre_hook`, but the hook gets the module only if `with_module` is set."""
        return RemovableHandle(self._load_state_dict_pre_hooks, (hook, with_module))

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after loading. The hook may change both lists."""
        return RemovableHandle(self._load_state_dict_post_hooks, hook)


EXTRA_STATE = "_extra_state"


def _mismatch(key: str, tensor: Tensor, given: Any) -> str | None:
    """Say why `given` cannot be loaded into `tensor`; None if it can."""
    if not isinstance(given, Tensor):
        return (f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint but '
                f"received {type(given)}")
    if given.shape != tensor.shape and not (tensor.ndim == 0 and given.shape == (1,)):
        return (f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, the shape in "
                f"current model is {tensor.shape}.")
    return None


def _in_place_of(tensor: Tensor, given: Tensor) -> Tensor:
    """`given`, made a parameter if `tensor` is one, with the same `requires_grad`."""
    if isinstance(tensor, Parameter):
        given = given if isinstance(given, Parameter) else Parameter(given, tensor.requires_grad)
        given.requires_grad = tensor.requires_grad
    return given
