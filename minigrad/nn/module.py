"""`Module` keeps parameters, buffers and other modules under names. Its `forward` computes with them.

`hooks` says how a module is called, `state` how it is saved and loaded.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from inspect import Signature, get_annotations, signature
from itertools import chain
from typing import Any, ClassVar, Self

from minigrad.arrays.dtypes import check_device, float16, float32, float64
from minigrad.autograd import no_grad
from minigrad.nn.hooks import Hooked
from minigrad.nn.parameter import Parameter
from minigrad.nn.state import Stateful
from minigrad.tensors.creation import empty
from minigrad.tensors.tensor import Tensor, conversion, zero_for_good

CHANGES = [0]  # how often an attribute of some module was set: a compiled step looks at its modules again if this has grown


class Module(Hooked, Stateful):
    """The base class of everything that has parameters or is part of a network.

    A subclass calls ``super().__init__()``, assigns its parts to attributes and defines `forward`. Each part goes into one of
    three dictionaries: a `Parameter` into `_parameters`, a module into `_modules`, and a tensor that is passed to
    `register_buffer` into `_buffers`.

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
    call_super_init: bool = False  # True: `__init__` goes on to the next class, for those that inherit from others, too

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and (args or kwargs):
            problem = (f"got an unexpected keyword argument '{next(iter(kwargs))}'" if kwargs else
                       f"takes 1 positional argument but {len(args) + 1} were given")  # fmt: skip
            raise TypeError(f"{type(self).__name__}.__init__() {problem}")
        self.__dict__.update(
            training=True, _parameters={}, _buffers={}, _modules={}, _non_persistent_buffers_set=set(), _hooked=False,
            _forward_pre_hooks=OrderedDict(), _forward_hooks=OrderedDict(), _backward_pre_hooks=OrderedDict(),
            _backward_hooks=OrderedDict(), _state_dict_pre_hooks={}, _state_dict_hooks={}, _load_state_dict_pre_hooks={},
            _load_state_dict_post_hooks={},
        )  # fmt: skip
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result. Subclasses define this."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def compile(self, **options: Any) -> None:
        """Run `forward` as a NumPy program from now on, where that gives the same numbers; see `minigrad.compile`."""
        self.forward = import_module("minigrad.compiler").compile(self.forward, **options)  # type: ignore[method-assign]

    # ---- registration ------------------------------------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name. None reserves the name."""
        self._check_name("parameter", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                            "(torch.nn.Parameter or None required)")
        if param is not None and param.grad_fn is not None:
            raise ValueError(f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. "
                             f"To express '{name}' as a function of another Tensor, compute the value in the forward() method.")
        self._parameters[name] = param

    def _part(self, name: str) -> Any:
        """The attribute, usually a parameter, without the way round through `__getattr__`."""
        parameters = self._parameters
        return parameters[name] if name in parameters else getattr(self, name)

    def _register_empty(self, device: Any, dtype: Any, **shapes: tuple[int, ...] | None) -> None:
        """Add parameters of these shapes, still to be filled. None reserves the name."""
        for name, shape in shapes.items():
            self.register_parameter(name, None if shape is None else Parameter(empty(shape, device=device, dtype=dtype)))

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the module's state but is not trained. `state_dict` has it if `persistent`."""
        self._check_name("buffer", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"cannot assign '{_typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)")
        self._buffers[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module under a name. None reserves the name."""
        if module is not None and not isinstance(module, Module):
            given = getattr(module, "__name__", None)  # of a class or a function
            raise TypeError(f"{given or _typename(module)} is not a Module subclass" + (
                f": it is a class, write {given}()" if isinstance(module, type) else ""))
        self._check_name("module", name)
        self._modules[name] = module

    register_module = add_module

    def _check_name(self, kind: str, name: str) -> None:
        CHANGES[0] += 1
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
        """Register parameters and modules. Anything else is a plain attribute, unless its name is already registered."""
        CHANGES[0] += 1
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
        """Find a registered part. Python calls this only if there is no plain attribute of that name."""
        attributes = self.__dict__
        for kind in KINDS:
            if (members := attributes.get(kind)) and name in members:
                return members[name]
        message = f"'{type(self).__name__}' object has no attribute '{name}'"
        if "_parameters" not in attributes and any(name in get_annotations(cls) for cls in Module.__mro__):
            message += ": call super().__init__() first in the __init__ of the class"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> None:
        CHANGES[0] += 1
        for kind in KINDS:
            if name in self.__dict__[kind]:
                del self.__dict__[kind][name]
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*object.__dir__(self), *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[0].isdigit())

    # ---- the parts ---------------------------------------------------------------------------------------------------

    def _named_members(self, get_members_fn: Callable[[Module], Iterable[tuple[str, Any]]], prefix: str = "", recurse: bool = True,
                       remove_duplicate: bool = True) -> Iterator[tuple[str, Any]]:  # fmt: skip
        """The members of one kind. Modules written elsewhere call it, too, for kinds of their own."""
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for module_prefix, module in modules:
            for name, member in get_members_fn(module):
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield module_prefix + ("." if module_prefix else "") + name, member

    def named_parameters(self, prefix: str = "", recurse: bool = True,
                         remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:  # fmt: skip
        """The names and parameters of this module and, with `recurse`, of all modules inside it. A shared one comes once."""
        return self._named_members(lambda module: module._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and, with `recurse`, of all modules inside it."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(self, prefix: str = "", recurse: bool = True,
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:  # fmt: skip
        """The names and buffers of this module and, with `recurse`, of all modules inside it. A shared one comes once."""
        return self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and, with `recurse`, of all modules inside it."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside this one, with their names. Each module comes once."""
        return self._named_members(lambda module: module._modules.items(), recurse=False)

    def children(self) -> Iterator[Module]:
        """The modules directly inside this one."""
        return (module for _, module in self.named_children())

    def named_modules(self, memo: set[Module] | None = None, prefix: str = "",
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:  # fmt: skip
        """This module, under the name `prefix`, and all modules inside it, at any depth, with their names."""
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

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module under a dotted name; with `strict`, only in place of another one."""
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if not isinstance(getattr(parent, name, None if strict else module), Module):
            raise AttributeError(f"{type(parent).__name__} has no attribute `{name}` that is an nn.Module")
        setattr(parent, name, module)

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
        """Set `training`, here and in all modules inside. Dropout, for example, acts only in training."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():  # by their own `train`, which a class may have changed
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Leave training mode: ``train(False)``."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Remove the gradients of all parameters, or fill them with zeros."""
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

    def to(
        self, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False, memory_format: Any = None
    ) -> Self:
        """Convert floating-point parameters and buffers in place: ``to(torch.float64)``, ``to(x)``.

        `memory_format`, which in torch is a matter of speed, changes nothing: convolutions have their own order here.
        """
        wanted, where, _ = conversion(args, dtype, device)
        if any(True for _ in chain(self.parameters(), self.buffers())):  # without them, as a loss is, it can be anywhere
            check_device(where)
        if wanted is None:
            return self
        if not wanted.is_floating_point:
            raise TypeError(f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={wanted!r}")
        return self._apply(lambda t: t.to(wanted) if t.is_floating_point() else t)

    def _apply(self, convert: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Convert every tensor; parameters and gradients stay the same objects, so that optimisers still know them."""
        if recurse:
            for module in self.children():
                module._apply(convert)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    parameter.data = convert(parameter)
                    if parameter.grad is not None:
                        parameter.grad.data = convert(parameter.grad)
        for name, buffer in self._buffers.items():
            self._buffers[name] = None if buffer is None else convert(buffer)
        return self

    def type(self, dst_type: Any) -> Self:
        """Convert all parameters and buffers, whatever they hold, to a dtype."""
        return self._apply(lambda t: t.type(dst_type))

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

    def share_memory(self) -> Self:
        """Move parameters and buffers to memory that other processes see, when they get the module; return self."""
        return self._apply(lambda t: t.share_memory_())

    def cuda(self, device: Any = None) -> Self:
        """Not possible if there are parameters or buffers: minigrad computes on the CPU only."""
        return self.to(device="cuda")

    # ---- text --------------------------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What the printed form shows of the module itself. Subclasses may define this."""
        return ""

    def _children_text(self) -> list[str]:
        lines = []
        for name, module in self._modules.items():  # not repr(module) in a comprehension: two frames for a level, instead of five
            lines.append(f"({name}): {indented(module.__repr__())}")
        return lines

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = self._children_text()
        if not children and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        lines = (extra.split("\n") if extra else []) + children
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        try:
            return copy._reconstruct(self, memo, *self.__reduce_ex__(4))  # type: ignore[attr-defined]  # as without this method
        except RecursionError:
            raise RecursionError(f"{type(self).__name__} is nested too deeply to be copied: raise the limit with "
                                 "sys.setrecursionlimit()") from None


# The kinds of parts, by the dictionary that holds them: the class, and what torch's messages call the kind and the class.
KINDS: dict[str, tuple[type, str, str]] = {
    "_parameters": (Parameter, "parameter", "torch.nn.Parameter"),
    "_modules": (Module, "child module", "torch.nn.Module"),
    "_buffers": (Tensor, "buffer", "torch.nn.Buffer, torch.Tensor"),
}


class FunctionModule(Module):
    """A function as a module, whose options are attributes.

    A subclass names the function. The function's first `inputs` arguments are passed when the module is called. The others are the
    options: the arguments of the class, with the same names, order and defaults. A class that takes other arguments in torch
    defines `__init__`. Options in `tensors` become buffers. Options in `hidden` are not printed, and `inplace` only if it is set.

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
    """The text with every line but the first indented by two spaces; empty lines stay empty."""
    first, *rest = text.split("\n")
    return "\n".join([first, *("  " + line if line.strip() else "" for line in rest)])


def _typename(x: object) -> str:
    """The name of x's type, as torch writes it in messages."""
    if isinstance(x, Tensor):
        return str(x.type())
    cls = type(x)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
