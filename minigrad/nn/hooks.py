"""How a module is called: its `forward`, with hooks before and after it, in the forward pass and in the backward pass."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from minigrad.autograd import Function, RemovableHandle, is_grad_enabled
from minigrad.tensors.tensor import Tensor

Hook = Callable[..., Any]
Watch = Callable[[tuple[Any, ...]], tuple[Any, ...]]  # gets gradients, and gives those to go on with


class Hooked:
    """The part of `Module` that calls `forward` and the hooks."""

    _hooked: bool  # whether a hook was ever registered; a plain call checks nothing else
    _forward_pre_hooks: OrderedDict[int, tuple[Hook, bool]]  # the hook, and whether it wants the keywords
    _forward_hooks: OrderedDict[int, tuple[Hook, bool]]
    _backward_pre_hooks: OrderedDict[int, Hook]
    _backward_hooks: OrderedDict[int, Hook]
    forward: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call `forward`, and the hooks before and after it."""
        if self._hooked:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

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
        watch = BackwardWatch(self) if self._backward_hooks or self._backward_pre_hooks else None
        if watch:
            args = watch.inputs(args)
        result = self.forward(*args, **kwargs)
        for hook, with_kwargs in list(self._forward_hooks.values()):
            changed = hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
            result = result if changed is None else changed
        return watch.outputs(result) if watch else result

    def register_forward_pre_hook(self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Call ``hook(module, args)`` before each `forward`. Its result, if not None, replaces the arguments.

        With `with_kwargs` the call is ``hook(module, args, kwargs)``, and it returns both or None. With `prepend` the
        hook comes before the others.
        """
        return self._register(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_forward_hook(self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False,
                              always_call: bool = False) -> RemovableHandle:  # fmt: skip
        """Call ``hook(module, args, result)`` after each `forward`. Its result, if not None, replaces the result.

        With `with_kwargs` the call is ``hook(module, args, kwargs, result)``. With `prepend` the hook comes before the
        others.
        """
        if always_call:
            raise NotImplementedError("register_forward_hook(): always_call=True is not supported")
        return self._register(self._forward_hooks, (hook, with_kwargs), prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the gradient passes back through the module.

        `grad_output` is a tuple with one entry per output. What the hook returns, if not None, replaces it. With
        `prepend` the hook comes before the others.
        """
        return self._register(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` once the gradients of the module's inputs are known.

        Both are tuples with one entry per positional input and output, None for what requires no gradient. What the hook
        returns, if not None, replaces `grad_input`. With `prepend` the hook comes before the others.

        Examples
        --------
        >>> import minigrad as torch
        >>> net = torch.nn.ReLU()
        >>> handle = net.register_full_backward_hook(lambda module, grad_input, grad_output: print(grad_input, grad_output))
        >>> net(torch.tensor([1.0, -1.0], requires_grad=True)).sum().backward()
        (tensor([1., 0.]),) (tensor([1., 1.]),)
        """
        return self._register(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """Not supported: torch's older hook sees only the last operation of the module."""
        raise NotImplementedError("register_backward_hook() is not supported; use register_full_backward_hook()")

    def _register(self, hooks: OrderedDict[int, Any], entry: Any, prepend: bool) -> RemovableHandle:
        self._hooked = True
        handle = RemovableHandle(hooks, entry)
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle


class BackwardHookFunction(Function):
    """Passes tensors on as they are. In the backward pass, `watch` sees all their gradients at once and may replace them."""

    @staticmethod
    def forward(ctx: Any, watch: Watch, zeros: bool, *tensors: Tensor) -> Any:
        """Return the tensors. A gradient that does not arrive is zero with `zeros`, and None without."""
        ctx.watch = watch
        ctx.set_materialize_grads(zeros)
        ctx.mark_non_differentiable(*(tensor for tensor in tensors if not tensor.requires_grad))
        return tensors

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """The gradients, or what `watch` makes of them."""
        return None, None, *ctx.watch(gradients)


class BackwardWatch:
    """One call of a module with backward hooks. A node before the module and one after it report the gradients."""

    def __init__(self, module: Hooked) -> None:
        self.module = module
        self.pre_hooks, self.hooks = list(module._backward_pre_hooks.values()), list(module._backward_hooks.values())
        self.grad_output: tuple[Any, ...] | None = None  # from the node behind the module until the one before it

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, with their tensors watched."""
        args, self.places = _watched(args, self._leave, zeros=True)
        self.count = len(args)
        return args

    def outputs(self, result: Any) -> Any:
        """The result, or each element of a tuple, watched."""
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn("For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                          f"{type(result)}", stacklevel=4)
        several = isinstance(result, tuple)
        results, _ = _watched(result if several else (result,), self._enter, zeros=False)
        return results if several else results[0]

    def _enter(self, grad_output: tuple[Any, ...]) -> tuple[Any, ...]:
        """Called when the gradients of the outputs have arrived."""
        for hook in self.pre_hooks:
            grad_output = _same_number("pre hook", "output", hook(self.module, grad_output), grad_output)
        self.grad_output = grad_output
        if not self.places:  # the inputs require no gradients, so no node will report any
            warnings.warn("Full backward hook is firing when gradients are computed with respect to module outputs since no inputs "
                          "require gradients.", stacklevel=2)
            for hook in self.hooks:
                if any(g is not None for g in hook(self.module, (None,) * self.count, grad_output) or ()):
                    raise RuntimeError("Backward hook for Modules where no input requires gradient should always return None or "
                                       "None for all gradients.")
            self.grad_output = None
        return grad_output

    def _leave(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        """Called when the gradients of the inputs have arrived."""
        if self.grad_output is not None:  # else they came another way, as in a second backward pass
            for hook in self.hooks:
                grad_input = _same_number("hook", "input", hook(self.module, grad_input, self.grad_output), grad_input)
            self.grad_output = None
        return grad_input


def _same_number(hook: str, which: str, changed: Any, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a hook returned, or `gradients` if it returned None."""
    if changed is None:
        return gradients
    if len(changed) != len(gradients):
        raise RuntimeError(f"Backward {hook} returned an invalid number of grad_{which}, got {len(changed)}, but expected "
                           f"{len(gradients)}")
    return tuple(changed)


def _watched(values: tuple[Any, ...], watch: Watch, zeros: bool) -> tuple[tuple[Any, ...], list[int]]:
    """The values, with `watch` on the gradients of the tensors among them, and the places of these tensors."""
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not is_grad_enabled() or not any(values[i].requires_grad for i in places):
        return values, []

    def at_their_places(gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        found = dict(zip(places, gradients, strict=True))
        changed = watch(tuple(found.get(i) for i in range(len(values))))
        return tuple(changed[i] for i in places)

    passed = BackwardHookFunction.apply(at_their_places, zeros, *(values[i] for i in places))
    found = dict(zip(places, passed, strict=True))
    listed = [found.get(i, value) for i, value in enumerate(values)]
    return (tuple(listed) if type(values) is tuple else type(values)(*listed)), places
