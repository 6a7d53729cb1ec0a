"""`Module`: parameters, buffers and other modules under names, and a `forward` that computes with them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from inspect import Signature, signature
from typing import Any, ClassVar, NamedTuple, Self

from minigrad.arrays.dtypes import float16, float32, float64
from minigrad.autograd import no_grad
from minigrad.nn.parameter import Parameter
from minigrad.tensors.creation import empty
from minigrad.tensors.tensor import RemovableHandle, Tensor, conversion, zero_for_good

Hook = Callable[..., Any]


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` returns: the names that did not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not any(self):
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Module:
    """Base class of everything that has parameters or is part of a network.

    A subclass calls ``super().__init__()``, assigns its parts to attributes and defines `forward`. What is assigned is
    kept in one of three dictionaries, by its kind: a `Parameter` in `_parameters`, a module in `_modules`, and what
    `register_buffer` was called for in `_buffers`.

    Attributes
    ----------
    training : bool
        True in training, False in evaluation; see `train`.

    Examples
    --------
    >>> from minigrad import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(4, 3)
    ...         self.out = nn.Linear(3, 2)
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> Net()
    Net(
      (hidden): Linear(in_features=4, out_features=3, bias=True)
      (out): Linear(in_features=3, out_features=2, bias=True)
    )
    >>> [name for name, _ in Net().named_parameters()]
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _forward_pre_hooks: OrderedDict[int, tuple[Hook, bool]]  # the hook, and whether it wants the keywords
    _forward_hooks: OrderedDict[int, tuple[Hook, bool]]

    def __init__(self) -> None:
        self.__dict__.update(training=True, _parameters={}, _buffers={}, _modules={}, _non_persistent_buffers_set=set(),
                             _forward_pre_hooks=OrderedDict(), _forward_hooks=OrderedDict())  # fmt: skip

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result; to be defined by the subclass."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call `forward`, and the hooks before and after it."""
        if self._forward_hooks or self._forward_pre_hooks:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    # ---- hooks -------------------------------------------------------------------------------------------------------

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for hook, with_kwargs in list(self._forward_pre_hooks.values()):
            changed = hook(self, args, kwargs) if with_kwargs else hook(self, args)
            if changed is None:
                continue
            if not with_kwargs:
                args = changed if isinstance(changed, tuple) else (changed,)
            elif isinstance(changed, tuple) and len(changed) == 2:
                args, kwargs = changed
            else:
                raise RuntimeError(f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}.")
        result = self.forward(*args, **kwargs)
        for hook, with_kwargs in list(self._forward_hooks.values()):
            changed = hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
            result = result if changed is None else changed
        return result

    def register_forward_pre_hook(self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Call ``hook(module, args)`` before each `forward`; what it returns, if not None, replaces the arguments.

        With `with_kwargs` the call is ``hook(module, args, kwargs)``, and it returns both or None; with `prepend` the
        hook comes before those that are there already.
        """
        return _register(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_forward_hook(self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False,
                              always_call: bool = False) -> RemovableHandle:  # fmt: skip
        """Call ``hook(module, args, result)`` after each `forward`; what it returns, if not None, replaces the result.

        With `with_kwargs` the call is ``hook(module, args, kwargs, result)``; with `prepend` the hook comes before
        those that are there already.
        """
        if always_call:
            raise NotImplementedError("register_forward_hook(): always_call=True is not supported")
        return _register(self._forward_hooks, (hook, with_kwargs), prepend)

    # ---- registration ------------------------------------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None keeps the name without one."""
        self._check_name("parameter", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                            "(torch.nn.Parameter or None required)")
        if param is not None and param.grad_fn is not None:
            raise ValueError(f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. "
                             f"To express '{name}' as a function of another Tensor, compute the value in the forward() method.")
        self._parameters[name] = param

    def _register_empty(self, device: Any, dtype: Any, **shapes: tuple[int, ...] | None) -> None:
        """Add parameters of these shapes, to be filled; None keeps the name without one."""
        for name, shape in shapes.items():
            self.register_parameter(name, None if shape is None else Parameter(empty(shape, device=device, dtype=dtype)))

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is not trained but belongs to the module's state; in `state_dict` only if `persistent`."""
        self._check_name("buffer", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"cannot assign '{_typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)")
        self._buffers[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module under a name; None keeps the name without one."""
        if module is not None and not isinstance(module, Module):
            given = getattr(module, "__name__", None)  # of a class or a function
            raise TypeError(f"{given or _typename(module)} is not a Module subclass" + (
                f": it is a class, write {given}()" if isinstance(module, type) else ""))
        self._check_name("module", name)
        self._modules[name] = module

    register_module = add_module

    def _check_name(self, kind: str, name: str) -> None:
        if f"_{kind}s" not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_typename(name)}")
        if name not in self.__dict__[f"_{kind}s"] and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f"{kind} name can't contain \".\", got: {name}")
        if not name:
            raise KeyError(f'{kind} name can\'t be empty string ""')

    def __setattr__(self, name: str, value: Any) -> None:
        """Register parameters and modules; all else is a plain attribute, unless the name is registered already."""
        attributes = self.__dict__
        if isinstance(value, Parameter) or (isinstance(value, Module) and name not in attributes.get("_parameters", ())):
            home, what = ("_parameters", "parameters") if isinstance(value, Parameter) else ("_modules", "module")
            if home not in attributes:
                raise AttributeError(f"cannot assign {what} before Module.__init__() call")
            for other in (attributes, *(attributes[kind] for kind in KINDS if kind != home)):
                other.pop(name, None)  # in its own dictionary the name keeps its place
            if isinstance(value, Parameter):
                self.register_parameter(name, value)
            else:
                self._modules[name] = value
            return
        for home, (cls, what, wanted) in KINDS.items():
            if name in attributes.get(home, ()):
                if value is not None and not isinstance(value, cls):
                    raise TypeError(f"cannot assign '{_typename(value)}' as {what} '{name}' ({wanted} or None expected)")
                attributes[home][name] = value
                return
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        """Find what is registered; Python asks only where there is no plain attribute of the name."""
        attributes = self.__dict__
        for kind in KINDS:
            if (members := attributes.get(kind)) and name in members:
                return members[name]
        message = f"'{type(self).__name__}' object has no attribute '{name}'"
        if "_parameters" not in attributes and name[:1] == "_" and name in Module.__annotations__:
            message += ": call super().__init__() first in the __init__ of the class"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> None:
        for kind in KINDS:
            if name in self.__dict__[kind]:
                del self.__dict__[kind][name]
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*object.__dir__(self), *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[0].isdigit())

    # ---- the parts ---------------------------------------------------------------------------------------------------

    def _named_members(self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for module_prefix, module in modules:
            for name, member in getattr(module, kind).items():
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield module_prefix + ("." if module_prefix else "") + name, member

    def named_parameters(self, prefix: str = "", recurse: bool = True,
                         remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:  # fmt: skip
        """Names and parameters, of this module and, with `recurse`, of all inside it; shared ones once."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, of this module and, with `recurse`, of all inside it."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True,
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:  # fmt: skip
        """Names and buffers, of this module and, with `recurse`, of all inside it; shared ones once."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, of this module and, with `recurse`, of all inside it."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Names and modules directly inside this one, each module once."""
        return self._named_members("_modules", "", recurse=False, remove_duplicate=True)

    def children(self) -> Iterator[Module]:
        """The modules directly inside this one."""
        return (module for _, module in self.named_children())

    def named_modules(self, memo: set[Module] | None = None, prefix: str = "",
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:  # fmt: skip
        """Names and modules: this one, under `prefix`, and all inside it, at any depth."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, prefix + ("." if prefix else "") + name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all inside it, at any depth."""
        return (module for _, module in self.named_modules())

    def get_submodule(self, target: str) -> Module:
        """The module under a dotted name, ``"net.0.hidden"`` for example; this one for ``""``."""
        return self._get_member(target, "_modules", "an nn.Module") if target else self

    def get_parameter(self, target: str) -> Parameter:
        """The parameter under a dotted name, ``"net.0.weight"`` for example."""
        return self._get_member(target, "_parameters", "an nn.Parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer under a dotted name."""
        return self._get_member(target, "_buffers", "a buffer")

    def _get_member(self, target: str, kind: str, what: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        found = module.__dict__[kind]
        if name not in found or (found[name] is None and kind != "_buffers"):
            raise AttributeError(f"`{name}` is not {what}")
        return found[name]

    # ---- changes to all of them --------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Set `training`, here and in all modules inside: dropout, for example, acts in training only."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Leave training: ``train(False)``."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Take the gradients of all parameters away, or fill them with zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                zero_for_good(parameter.grad)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set `requires_grad` of all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module inside this one, then on this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def to(self, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False) -> Self:
        """Convert floating-point parameters and buffers in place: ``to(torch.float64)``, ``to(x)``."""
        wanted, _ = conversion(args, dtype, device)
        if wanted is None:
            return self
        if not wanted.is_floating_point:
            raise TypeError(f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={wanted!r}")
        return self._apply(lambda t: t.to(wanted) if t.is_floating_point() else t)

    def _apply(self, convert: Callable[[Tensor], Tensor]) -> Self:
        """Convert every tensor; parameters and gradients stay the same objects, so that optimisers still know them."""
        with no_grad():
            for parameter in self.parameters():
                parameter.data = convert(parameter.data)
                if parameter.grad is not None:
                    parameter.grad.data = convert(parameter.grad.data)
            for module in self.modules():
                for name, buffer in module._buffers.items():
                    module._buffers[name] = None if buffer is None else convert(buffer)
        return self

    def half(self) -> Self:
        """Convert floating-point parameters and buffers to float16."""
        return self.to(float16)

    def float(self) -> Self:
        """Convert floating-point parameters and buffers to float32."""
        return self.to(float32)

    def double(self) -> Self:
        """Convert floating-point parameters and buffers to float64."""
        return self.to(float64)

    def cpu(self) -> Self:
        """The module itself: it is on the CPU."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """Not possible: minigrad computes on the CPU only."""
        return self.to(device="cuda")

    # ---- state -------------------------------------------------------------------------------------------------------

    def _state(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers of this module alone."""
        buffers = {k: v for k, v in self._buffers.items() if k not in self._non_persistent_buffers_set}
        return {k: v for k, v in {**self._parameters, **buffers}.items() if v is not None}

    def state_dict(self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> dict[str, Any]:
        """Parameters and persistent buffers, of this module and all inside it, by name; they share its memory.

        Parameters
        ----------
        destination : dict, optional
            What to put them into. Default: a new `OrderedDict`.
        prefix : str
            Put before each name.
        keep_vars : bool
            Give the parameters themselves, instead of tensors detached from the graph.
        """
        destination = OrderedDict() if destination is None else destination
        for name, tensor in self._state().items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        return destination

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> IncompatibleKeys:
        """Copy values, by name, into parameters and buffers; where something does not fit, nothing is changed.

        Parameters
        ----------
        state_dict : mapping of str to Tensor
            As `state_dict` gives it.
        strict : bool
            Refuse names that are missing or not expected.
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
        places = [(prefix + ("." if prefix else "") + name, module, name, tensor)
                  for prefix, module in self.named_modules(remove_duplicate=False)
                  for name, tensor in module._state().items()]  # fmt: skip
        expected = {key for key, *_ in places}
        old = not hasattr(state_dict, "_metadata")  # torch's of today have it; older ones, like ours, may lack the count of batches
        missing = [key for key, _, name, _ in places if key not in state_dict and not (old and name == "num_batches_tracked")]
        unexpected = [key for key in state_dict if key not in expected]
        wrong = {"Missing": missing, "Unexpected": unexpected} if strict else {}
        errors = [f"{what} key(s) in state_dict: " + ", ".join(f'"{name}"' for name in names) + ". "
                  for what, names in wrong.items() if names]  # fmt: skip
        places = [place for place in places if place[0] in state_dict]
        errors += [error for key, _, _, tensor in places if (error := _mismatch(key, tensor, state_dict[key]))]
        if errors:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(errors))
        with no_grad():
            for key, module, name, tensor in places:
                if assign:
                    setattr(module, name, _in_place_of(tensor, state_dict[key]))
                else:
                    tensor.copy_(state_dict[key].reshape(tensor.shape))
        return IncompatibleKeys(missing, unexpected)

    # ---- text --------------------------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What the printed form shows of the module itself; to be defined by the subclass."""
        return ""

    def _children_text(self) -> list[str]:
        return [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = self._children_text()
        if not children and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        lines = (extra.split("\n") if extra else []) + children
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


# The kinds of parts, by the dictionary that holds them: the class, and what torch's messages call the kind and the class.
KINDS: dict[str, tuple[type, str, str]] = {
    "_parameters": (Parameter, "parameter", "torch.nn.Parameter"),
    "_modules": (Module, "child module", "torch.nn.Module"),
    "_buffers": (Tensor, "buffer", "torch.nn.Buffer, torch.Tensor"),
}


class FunctionModule(Module):
    """A function as a module: the options it is called with are attributes under their own names.

    A subclass names the function. What the function takes behind its first arguments, `inputs` in number, are the
    arguments of the class, with the same names, order and defaults; where torch's class has others, it defines `__init__`.
    Options in `tensors` are buffers; those in `hidden` are not printed, and `inplace` only where it is set.

    Examples
    --------
    >>> from minigrad.ops.activation import softplus
    >>> class Softplus(FunctionModule):
    ...     function = softplus
    >>> Softplus(2.0)
    Softplus(beta=2.0, threshold=20.0)
    """

    function: ClassVar[Callable[..., Any]]
    inputs: ClassVar[int] = 1
    tensors: ClassVar[tuple[str, ...]] = ()
    hidden: ClassVar[tuple[str, ...]] = ()
    _signature: ClassVar[Signature]
    __signature__: ClassVar[Signature | None] = None  # what help() shows; None: that of `__init__`, which names its own

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "function" in vars(cls):
            cls._signature = Signature(list(signature(cls.function).parameters.values())[cls.inputs :])
        passed_on = any(p.kind is p.VAR_POSITIONAL for p in signature(cls.__init__).parameters.values())
        cls.__signature__ = cls._signature if passed_on and hasattr(cls, "function") else None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        try:
            options = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}(): {error}") from None
        options.apply_defaults()
        self._names = tuple(options.arguments)
        for name, value in options.arguments.items():
            if name in self.tensors:
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def _options(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._names}

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """The function of the inputs."""
        return type(self).function(*inputs, **named, **self._options())

    def extra_repr(self) -> str:
        """The options."""
        shown = {name: value for name, value in self._options().items() if name not in self.hidden}
        return ", ".join(f"{name}={value!r}" for name, value in shown.items() if name != "inplace" or value)


def indented(text: str) -> str:
    """All lines of `text` but the first, and but empty ones, moved two places to the right."""
    first, *rest = text.split("\n")
    return "\n".join([first, *("  " + line if line.strip() else "" for line in rest)])


def _register(hooks: OrderedDict[int, Any], entry: tuple[Hook, bool], prepend: bool) -> RemovableHandle:
    handle = RemovableHandle(hooks, entry)
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def _typename(x: object) -> str:
    """The name of x's type as torch gives it in its messages."""
    if isinstance(x, Tensor):
        return str(x.type())
    cls = type(x)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _mismatch(key: str, tensor: Tensor, given: Any) -> str | None:
    """Why `given` cannot be loaded into `tensor`, if so."""
    if not isinstance(given, Tensor):
        return (f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint but '
                f"received {type(given)}")
    if given.shape != tensor.shape and not (tensor.ndim == 0 and given.shape == (1,)):
        return (f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, the shape in "
                f"current model is {tensor.shape}.")
    return None


def _in_place_of(tensor: Tensor, given: Tensor) -> Tensor:
    """`given`, a parameter if `tensor` is one, and as trainable."""
    if isinstance(tensor, Parameter):
        given = given if isinstance(given, Parameter) else Parameter(given, tensor.requires_grad)
        given.requires_grad = tensor.requires_grad
    return given
