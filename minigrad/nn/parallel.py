"""`DataParallel`, on the only device there is, and `DistributedDataParallel`, in several processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain
from typing import Any

import numpy as np

from minigrad import distributed
from minigrad.autograd import TensorBase, count_change, is_grad_enabled, nodes_behind, tensors_in, wrap
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter


class DataParallel(Module):
    """Wraps a module; on one device, which is all there is here, it computes what the module computes.

    So does torch's without an accelerator. What a program that uses it relies on is there: the wrapped `module`, and
    names in `state_dict` that begin with ``"module."``.

    Parameters
    ----------
    module : Module
        What is wrapped.
    device_ids : sequence, optional
        At most one device. torch, too, takes no notice of it on a machine that has only a CPU.
    output_device : optional
        Not used.
    dim : int
        Not used.

    Raises
    ------
    NotImplementedError
        For several devices.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        if device_ids is not None and len(device_ids) > 1:
            raise NotImplementedError(f"DataParallel(): device_ids={device_ids!r}: there is one device, the CPU; "
                                      "leave device_ids out")
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module computes."""
        return self.module(*inputs, **kwargs)


class _Bucket:
    """Parameters whose gradients travel together, one after the other in one array.

    Attributes
    ----------
    flat : numpy.ndarray
        The gradients on their way.
    parts : list of numpy.ndarray
        The gradient of each parameter: views of `flat`.
    missing : int
        How many have not come yet in this pass.
    work : Work or None
        The call that adds them up over the ranks, once it has been started.
    """

    def __init__(self, parameters: list[Parameter]) -> None:
        self.parameters = parameters
        arrays = [p.array for p in parameters]
        ends = list(accumulate(a.size for a in arrays))
        self.flat = np.zeros(ends[-1], arrays[0].dtype)
        self.parts = [self.flat[end - a.size : end].reshape(a.shape) for a, end in zip(arrays, ends, strict=True)]
        self.reset()

    def reset(self) -> None:
        """Begin a new pass."""
        self.missing = len(self.parameters)
        self.work: Any = None


class DistributedDataParallel(Module):
    """Wraps a module that every rank has, and trains on its own samples: gradients become their mean over the ranks.

    At the start all ranks get the parameters and buffers of rank 0. In each backward pass, gradients are collected in buckets,
    and a bucket is on its way to the other ranks as soon as it is full, while the pass goes on with earlier layers. Buckets are
    filled and sent in one order, from the last parameter to the first, so all ranks end with the same bits.

    Parameters
    ----------
    module : Module
        The same on all ranks; at least one parameter requires a gradient.
    device_ids, output_device, dim
        Not needed on a CPU.
    broadcast_buffers : bool
        Before each forward pass, copy the buffers of rank 0 (running means, for example) to the others.
    init_sync : bool
        Check that the ranks have the same parameters and copy those of rank 0, at the start.
    process_group : ProcessGroup, optional
        Who takes part. Default: all ranks.
    bucket_cap_mb : float, optional
        Size of a bucket; default 25. The first one has 1 MB, so that something is on its way early.
    find_unused_parameters : bool
        Look after each forward pass which parameters the result depends on; the others' gradients count as zeros.
    gradient_as_bucket_view : bool
        Let `.grad` show the bucket's memory, which the next pass overwrites, instead of a copy.
    check_reduction : bool
        Changes nothing, nor does it in torch.
    static_graph : bool
        Not supported.

    Raises
    ------
    RuntimeError
        If the ranks' parameters differ in name, shape, dtype or number, or none requires a gradient. In `forward`, if a
        parameter got no gradient in the pass before.
    NotImplementedError
        For `static_graph`.
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0, broadcast_buffers: bool = True,
        init_sync: bool = True, process_group: Any = None, bucket_cap_mb: float | None = None,
        find_unused_parameters: bool = False, check_reduction: bool = False, gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
    ) -> None:
        super().__init__()
        if static_graph:
            raise NotImplementedError("DistributedDataParallel(): static_graph=True is not supported: leave it out")
        trained = [p for p in module.parameters() if p.requires_grad]
        if not trained:
            raise RuntimeError("DistributedDataParallel is not needed when a module doesn't have any parameter that requires a "
                               "gradient.")
        self.module, self.device_ids, self.dim = module, None, dim
        group = distributed.member(process_group)
        if group is None:
            raise RuntimeError("DistributedDataParallel(): this rank is not in process_group")
        self.process_group = group
        self.broadcast_buffers, self.find_unused_parameters = broadcast_buffers, find_unused_parameters
        self.gradient_as_bucket_view = gradient_as_bucket_view
        self.require_backward_grad_sync, self._buffers_differ = True, True
        if init_sync:
            self._compare_parameters()
            self._broadcast([*module.parameters(), *module.buffers()])
        self._buckets = _fill(trained[::-1], 25 if bucket_cap_mb is None else bucket_cap_mb)
        self._places = {p: (bucket, i) for bucket in self._buckets for i, p in enumerate(bucket.parameters)}
        self._arrived: set[Any] = set()  # in this pass
        self._unused: set[Any] = set()
        for p in trained:
            p.register_post_accumulate_grad_hook(self._arrive)

    def _compare_parameters(self) -> None:
        mine = [(name, list(p.shape), str(p.dtype), p.requires_grad) for name, p in self.module.named_parameters()]
        all_of_them: list[Any] = [None] * self.process_group.size()
        distributed.all_gather_object(all_of_them, mine, self.process_group)
        for rank, theirs in zip(self.process_group.ranks, all_of_them, strict=True):
            if theirs != mine:
                different = [f"{a} here and {b} there" for a, b in zip(mine, theirs, strict=False) if a != b]
                why = different[0] if different else f"{len(mine)} parameters here and {len(theirs)} there"
                raise RuntimeError("DDP expects same model across all ranks, but rank "
                                   f"{distributed.get_rank()} differs from rank {rank}: {why}")

    def _broadcast(self, tensors: Iterable[Any]) -> None:
        works = [distributed.broadcast(t.detach(), group=self.process_group, group_src=0, async_op=True) for t in tensors]
        for work in filter(None, works):
            work.wait()

    # ---- forward ---------------------------------------------------------------------------------------------------------

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module computes."""
        if self._buffers_differ and self.broadcast_buffers:
            self._broadcast(self.module.buffers())
        self._buffers_differ = self.require_backward_grad_sync
        if not (is_grad_enabled() and self.require_backward_grad_sync):
            return self.module(*inputs, **kwargs)
        if self._arrived:
            missing = [name for name, p in self.module.named_parameters() if p in self._places and p not in self._arrived]
            raise RuntimeError("Expected to have finished reduction in the prior iteration before starting a new one. On rank "
                               f"{distributed.get_rank()} these parameters got no gradient: {', '.join(missing)}. Where some "
                               "are not used in every pass, give DistributedDataParallel find_unused_parameters=True")
        result = self.module(*inputs, **kwargs)
        if self.find_unused_parameters:
            used = _leaves_below(result)
            self._unused = self._places.keys() - used
        return result

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """Within this context, gradients are added up on each rank alone; the first pass after it shares their sum."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    # ---- backward --------------------------------------------------------------------------------------------------------

    def _arrive(self, parameter: Any) -> None:
        """Called by the engine when the gradient of a parameter is complete."""
        if not self.require_backward_grad_sync:
            return
        if not self._arrived:
            for unused in self._unused:
                self._collect(unused)
        self._collect(parameter)
        self._send()
        if len(self._arrived) == len(self._places):
            self._finish()

    def _collect(self, parameter: Any) -> None:
        """Put a gradient into its bucket, divided by the number of ranks."""
        if parameter in self._arrived:
            raise RuntimeError("Expected to mark a variable ready only once. A gradient has come twice without a forward pass of "
                               "DistributedDataParallel in between; use no_sync() for all backward passes but the last")
        self._arrived.add(parameter)
        bucket, i = self._places[parameter]
        bucket.missing -= 1
        if parameter._grad is None:
            bucket.parts[i][...] = 0
        else:
            np.multiply(parameter._grad.array, bucket.flat.dtype.type(1 / self.process_group.size()), out=bucket.parts[i])

    def _send(self) -> None:
        """Start the calls for full buckets, one after the other in their order."""
        for bucket in self._buckets:
            if bucket.work is not None:
                bucket.work.is_completed()  # MPI moves data only while one of its functions runs
            elif bucket.missing:
                break
            else:
                bucket.work = distributed.all_reduce(wrap(bucket.flat), group=self.process_group, async_op=True)

    def _finish(self) -> None:
        """Wait for the sums, and put them into `.grad`, except of a parameter that no rank has used."""
        used = np.array([p not in self._unused for p in self._places], np.int32)
        if self.find_unused_parameters:
            distributed.all_reduce(wrap(used), group=self.process_group)
        for bucket in self._buckets:
            bucket.work.wait()
        for (parameter, (bucket, i)), users in zip(self._places.items(), used, strict=True):
            if users:
                self._deliver(parameter, bucket.parts[i])
        for bucket in self._buckets:
            bucket.reset()
        self._arrived.clear()
        self._unused = set()

    def _deliver(self, parameter: Any, mean: Any) -> None:
        if parameter._grad is None:
            parameter._grad = wrap(mean if self.gradient_as_bucket_view else mean.copy())
            return
        if self.gradient_as_bucket_view:
            parameter._grad.array = mean
        else:
            parameter._grad.array[...] = mean
        count_change(parameter._grad)


def _fill(parameters: list[Any], megabytes: float) -> list[_Bucket]:
    """The parameters, in order, in buckets of one dtype each."""
    open_ones: dict[Any, list[Any]] = {}
    buckets: list[_Bucket] = []
    for p in parameters:
        held = open_ones.setdefault(p.array.dtype, [])
        held.append(p)
        limit = min(megabytes, 1) if not buckets else megabytes
        if sum(q.array.nbytes for q in held) >= limit * 2**20:
            buckets.append(_Bucket(open_ones.pop(p.array.dtype)))
    return buckets + [_Bucket(held) for held in open_ones.values()]


def _leaves_below(result: Any) -> set[Any]:
    """The leaves from which the tensors in `result` were computed."""
    starts = [t._node or t for t in tensors_in(result)]
    edges = chain(starts, *(node.edges for node in nodes_behind(starts)))
    return {edge for edge in edges if isinstance(edge, TensorBase)}
