"""Recurrent networks, in layers (`RNN`, `LSTM`, `GRU`) or one time step at a time (`RNNCell`, `LSTMCell`, `GRUCell`).

They share one mechanism: `_layer` carries the states through time, with the step that `KINDS` names (see `ops.recurrent`).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

from minigrad.autograd import wrap
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.nn.utils.rnn import PackedSequence
from minigrad.ops import recurrent
from minigrad.ops.shape import cat, stack
from minigrad.tensors.tensor import Tensor

# What tells the kinds apart: the step in time, the number of gates, and the number of states.
KINDS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "RNN_TANH": (recurrent.rnn_tanh, 1, 1), "RNN_RELU": (recurrent.rnn_relu, 1, 1),
    "LSTM": (recurrent.lstm, 4, 2), "GRU": (recurrent.gru, 3, 1),
}  # fmt: skip

# What torch calls the nodes of their results: of a layer, of a layer with the batch first, and of the states of a cell.
NODES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "RNN_TANH": ("StackBackward0", "TransposeBackward1", ("TanhBackward0",)),
    "RNN_RELU": ("StackBackward0", "TransposeBackward1", ("ReluBackward0",)),
    "LSTM": ("MkldnnRnnLayerBackward0", "TransposeBackward0", ("MulBackward0", "AddBackward0")),
    "GRU": ("StackBackward0", "TransposeBackward1", ("AddBackward0",)),
}

NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def _layer(mode: str, x: Tensor, weights: Sequence[Any], states: Sequence[Tensor], reverse: bool) -> tuple[Tensor, list[Tensor]]:
    """The hidden states of all moments, (length, batch, size), and all states in the end; without `states`, from zeros."""
    (w_ih, w_hh, b_ih, b_hh), (step, _, count) = weights, KINDS[mode]
    shape, dtype = (x.shape[1], w_hh.shape[1]), w_hh.array.dtype
    if any(len(states) != count or state.shape != shape or state.array.dtype != dtype for state in states):
        raise RuntimeError(f"{mode}: expected {count} of shape {list(shape)} and dtype {w_hh.dtype} as states of each layer and "
                           f"direction, got {' and '.join(f'{list(state.shape)} of {state.dtype}' for state in states)}")
    states = states or [wrap(np.zeros(shape, dtype))] * count
    gates = F.linear(x, w_ih, b_ih)  # of all moments, in one product
    found = recurrent.scan(gates, w_hh, 0.0 if b_hh is None else b_hh, *states, step=step, reverse=reverse)
    out = found[: len(x)] if count > 1 else found
    return out, [out[0 if reverse else -1], *(found[k] for k in range(len(x), len(found)))]


def _packed_layer(
    mode: str, x: Tensor, weights: Sequence[Any], states: Sequence[Tensor], reverse: bool, counts: Sequence[int]
) -> tuple[Tensor, list[Tensor]]:
    """As `_layer`, for packed sequences, longest first, of which `counts` are there at each moment; their data is (elements, size).

    Moments with as many sequences are one `_layer`. Between them the last sequences end; backwards, they begin.
    """
    runs = [(count, len(list(group))) for count, group in groupby(counts)]
    parts = list(zip(runs, x.split([count * length for count, length in runs]), strict=True))
    now: list[Tensor] = [state[:0] for state in states] if reverse else list(states)
    ended: list[list[Tensor]] = []
    outs = []
    for (count, length), part in reversed(parts) if reverse else parts:
        if reverse:
            now = [cat([each, state[len(each) : count]]) for each, state in zip(now, states, strict=True)]
        else:
            ended.insert(0, [each[count:] for each in now])
            now = [each[:count] for each in now]
        out, now = _layer(mode, part.unflatten(0, (length, count)), weights, now, reverse)
        outs.append(out.flatten(0, 1))
    return cat(outs[::-1] if reverse else outs), [cat(each) for each in zip(now, *ended, strict=True)]


def _named(x: Tensor, name: str) -> Tensor:
    """The tensor, whose node prints another name."""
    if x._node is not None:
        x._node.title = name
    return x


def _listed(hx: Any) -> list[Tensor]:
    """The states that were given."""
    return [] if hx is None else list(hx) if isinstance(hx, (tuple, list)) else [hx]


class _Recurrent(Module):
    """What layers and cells share: the parameters, how they begin, and how it all prints."""

    _usual: dict[str, Any]  # what is not printed

    def _make_parameters(self, mode: str, sizes: dict[str, int], bias: bool, device: Any, dtype: Any) -> None:
        """Weights and biases under torch's names, for each suffix in `sizes`, with the size of the input."""
        rows = KINDS[mode][1] * self.hidden_size
        for suffix, size in sizes.items():
            shapes = [(rows, size), (rows, self.hidden_size), *([(rows,) if bias else None] * 2)]
            self._register_empty(device, dtype, **{name + suffix: shape for name, shape in zip(NAMES, shapes, strict=True)})
        self.reset_parameters()

    def _weights(self, suffix: str) -> list[Any]:
        return [self._part(name + suffix) for name in NAMES]

    def reset_parameters(self) -> None:
        """Draw new values: uniform numbers of ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """The sizes, and what is not as usual."""
        others = [f"{k}={self.__dict__[k]}" for k, v in self._usual.items() if self.__dict__.get(k, v) != v]
        return ", ".join([str(self.input_size), str(self.hidden_size), *others])


class RNNBase(_Recurrent):
    """Layers of recurrent networks, each reading the hidden states of the one below; base class of the three kinds.

    Parameters
    ----------
    mode : str
        "RNN_TANH", "RNN_RELU", "LSTM" or "GRU"; the subclasses give it.
    input_size, hidden_size : int
        Elements of the input and of a state, at one moment.
    num_layers : int
        Layers on top of each other.
    bias : bool
        Add biases, `bias_ih` to what the input and `bias_hh` to what the hidden state gives to the gates.
    batch_first : bool
        Input and output are (batch, length, size), instead of (length, batch, size).
    dropout : float
        Probability for `dropout` between layers, in training.
    bidirectional : bool
        Each layer also reads backwards, with weights of its own; both results are joined.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Parameter
        Of shapes (gates · hidden_size, input of the layer), (gates · hidden_size, hidden_size), and twice
        (gates · hidden_size); for further layers with l1, ..., and for the way back with "_reverse" appended. From the
        same seed the first values are torch's.

    Raises
    ------
    ValueError, TypeError
        If an argument makes no sense.
    NotImplementedError
        For `proj_size`.

    Examples
    --------
    >>> import minigrad as torch
    >>> net = torch.nn.LSTM(3, 5, num_layers=2, bidirectional=True)
    >>> output, (h_n, c_n) = net(torch.zeros(7, 4, 3))
    >>> output.shape, h_n.shape
    (torch.Size([7, 4, 10]), torch.Size([4, 4, 5]))
    """

    _usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0, "bidirectional": False}  # noqa: RUF012

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__()
        if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
            raise ValueError("dropout should be a number in range [0, 1] representing the probability of an element being "
                             f"zeroed, got {dropout!r}")
        if dropout > 0 and num_layers == 1:
            warnings.warn("dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                          f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}", stacklevel=3)
        for name, value, cls in (("bias", bias, bool), ("batch_first", batch_first, bool), ("input_size", input_size, int),
                                 ("hidden_size", hidden_size, int), ("num_layers", num_layers, int)):
            if not isinstance(value, cls):
                raise TypeError(f"{name} should be of type {cls.__name__}, got: {type(value).__name__}")
            if cls is int and value <= 0:
                raise ValueError(f"{name} must be greater than zero, got {value}")
        if not 0 <= proj_size < hidden_size or (proj_size and mode != "LSTM"):
            raise ValueError(f"proj_size is for LSTM only, and should be less than hidden_size, {hidden_size}, got {proj_size}")
        if proj_size:
            raise NotImplementedError(f"{type(self).__name__}(): proj_size={proj_size}: projections are not supported")
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout, self.bidirectional = bias, batch_first, float(dropout), bidirectional
        self.proj_size = proj_size
        self._directions = ("", "_reverse") if bidirectional else ("",)
        above = hidden_size * len(self._directions)
        sizes = {f"_l{k}{way}": above if k else input_size for k in range(num_layers) for way in self._directions}
        self._make_parameters(mode, sizes, bias, device, dtype)

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[self._part(name) for name in names] for names in self._all_weights]

    @property
    def _all_weights(self) -> list[list[str]]:
        """The names of the parameters of each layer and direction; many programs initialise them by these."""
        layers = [f"_l{k}{way}" for k in range(self.num_layers) for way in self._directions]
        return [[name + suffix for name in (NAMES if self.bias else NAMES[:2])] for suffix in layers]

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    def flatten_parameters(self) -> None:
        """Nothing to do: where the parameters lie in memory makes no difference on a CPU."""

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Any]:
        """Read a sequence.

        Parameters
        ----------
        input : Tensor of shape (length, batch, input_size), (batch, length, input_size) if `batch_first`, or (length, input_size)
            Or a `PackedSequence` of sequences of different lengths.
        hx : Tensor of shape (layers · directions, batch, hidden_size), or two of them for `LSTM`, optional
            The states before the first moment, without `batch` where the input is without. Default: zeros.

        Returns
        -------
        output : Tensor of shape (length, batch, directions · hidden_size), or as `input` is
            The hidden states of the last layer.
        h_n or (h_n, c_n) : Tensor, or two of them
            The states in the end, of the shape of `hx`.

        Raises
        ------
        ValueError
            If the input has another number of dimensions, or another dtype than the weights.
        RuntimeError
            If other sizes do not fit.
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        ndim = input.dim()
        if ndim not in (2, 3):
            raise ValueError(f"{type(self).__name__}: Expected input to be 2D or 3D, got {ndim}D tensor instead")
        states = self._check(input, hx, ndim)
        if ndim == 2:
            x, *states = (each.unsqueeze(1) for each in (input, *states))
        else:
            x = input.transpose(0, 1) if self.batch_first else input
        if len(x) == 0:
            raise RuntimeError(f"Expected sequence length to be larger than 0 in {type(self).__name__}")
        x, ends = self._layers(_layer, x, states)
        of_layer, batch_first, _ = NODES[self.mode]
        x = x if self.bidirectional else _named(x, of_layer)
        if ndim == 2:
            x, ends = x.squeeze(1), [end.squeeze(1) for end in ends]
        elif self.batch_first:
            x = _named(x.transpose(0, 1), batch_first)
        return x, tuple(ends) if self.mode == "LSTM" else ends[0]

    def _forward_packed(self, input: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        x, counts, order, back = input
        if x.dim() != 2:
            raise RuntimeError(f"input must have 2 dimensions, got {x.dim()}: a PackedSequence of elements of shape (input_size)")
        states, batch = self._check(x, hx, 3), int(counts[0])
        if any(state.shape[1] != batch for state in states):
            raise RuntimeError(f"Expected states for {batch} sequences, got {' and '.join(str(list(s.shape)) for s in states)}")
        states = states if order is None else [state.index_select(1, order) for state in states]
        if not states:
            shape = (self.num_layers * len(self._directions), batch, self.hidden_size)
            states = [wrap(np.zeros(shape, x.array.dtype))] * KINDS[self.mode][2]
        x, ends = self._layers(partial(_packed_layer, counts=counts.tolist()), x, states)
        ends = ends if back is None else [end.index_select(1, back) for end in ends]
        return PackedSequence(x, counts, order, back), tuple(ends) if self.mode == "LSTM" else ends[0]

    def _check(self, x: Tensor, hx: Any, ndim: int) -> list[Tensor]:
        """The states, of `ndim` dimensions, if they and the input have the right sizes and dtypes."""
        dtype, count, states = self.weight_ih_l0.dtype, self.num_layers * len(self._directions), _listed(hx)
        if x.shape[-1] != self.input_size:
            raise RuntimeError(f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[-1]}")
        if any(state.dim() != ndim or len(state) != count for state in states):
            raise RuntimeError(f"{type(self).__name__}: for this input, expected states of {ndim} dimensions, the first "
                               f"of size {count}, but got {' and '.join(str(list(state.shape)) for state in states)}")
        if x.dtype != dtype:
            raise ValueError(f"RNN input dtype ({x.dtype}) does not match weight dtype ({dtype}). Convert input: "
                             f"input.to({dtype}), or convert model: model.to({x.dtype})")
        return states

    def _layers(self, run: Callable[..., Any], x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """What the last layer gives, and the states of all layers and directions in the end; `run` takes one through time."""
        last: list[list[Tensor]] = []
        for layer in range(self.num_layers):
            found = []
            for way in self._directions:
                start = [state[len(last)] for state in states]
                out, end = run(self.mode, x, self._weights(f"_l{layer}{way}"), start, way == "_reverse")
                found.append(out)
                last.append(end)
            x = cat(found, -1) if self.bidirectional else found[0]
            if layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        return x, [stack(each) for each in zip(*last, strict=True)]


class RNN(RNNBase):
    """Plain recurrent network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu.

    Parameters
    ----------
    input_size, hidden_size, num_layers
        As in `RNNBase`.
    nonlinearity : str
        "tanh" or "relu".
    *args, **kwargs
        The other parameters of `RNNBase`, from `bias` on.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", *args: Any,
                 **kwargs: Any) -> None:  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory: with a second state c, to which a gate adds, and of which another forgets.

    i, f, o = sigmoid(W_ih x + b_ih + W_hh h + b_hh), g likewise with tanh; c' = f c + i g; h' = o tanh(c'). The weights
    hold the rows of i, f, g, o in this order. Parameters as in `RNNBase`, from `input_size` on.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent units: h' = (1 - z) n + z h.

    r, z = sigmoid(W_ih x + b_ih + W_hh h + b_hh); n = tanh(W_in x + b_in + r (W_hn h + b_hn)). The weights hold the rows
    of r, z, n in this order. Parameters as in `RNNBase`, from `input_size` on, without `proj_size`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("GRU", *args, **kwargs)


class RNNCellBase(_Recurrent):
    """One moment of a recurrent network; base class of the three kinds.

    Parameters
    ----------
    input_size, hidden_size, bias
        As in `RNNBase`.

    Attributes
    ----------
    weight_ih, weight_hh, bias_ih, bias_hh : Parameter
        As in `RNNBase`, without a number.
    """

    _usual = {"bias": True, "nonlinearity": "tanh"}  # noqa: RUF012

    def __init__(self, mode: str, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
                 dtype: Any = None) -> None:  # fmt: skip
        super().__init__()
        self.mode, self.input_size, self.hidden_size, self.bias = mode, input_size, hidden_size, bias
        self._make_parameters(mode, {"": input_size}, bias, device, dtype)

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """The states after one moment, h or (h, c).

        Parameters
        ----------
        input : Tensor of shape (batch, input_size) or (input_size)
        hx : Tensor of shape (batch, hidden_size) or (hidden_size), or two of them for `LSTMCell`, optional
            The states before. Default: zeros.

        Raises
        ------
        ValueError
            If there are other dimensions.
        RuntimeError
            If the sizes or the dtypes do not fit.
        """
        states = _listed(hx)
        for tensor in (input, *states):
            if tensor.dim() not in (1, 2):
                raise ValueError(f"{type(self).__name__}: Expected input and states to be 1D or 2D, got {tensor.dim()}D instead")
        x, *states = (t if input.dim() == 2 else t.unsqueeze(0) for t in (input, *states))
        ends = _layer(self.mode, x.unsqueeze(0), self._weights(""), states, False)[1]
        ends = [_named(end, name) for end, name in zip(ends, NODES[self.mode][2], strict=True)]
        ends = ends if input.dim() == 2 else [end.squeeze(0) for end in ends]
        return tuple(ends) if self.mode == "LSTM" else ends[0]


class RNNCell(RNNCellBase):
    """One moment of an `RNN`; `nonlinearity` is "tanh" or "relu"."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", *args: Any,
                 **kwargs: Any) -> None:  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {nonlinearity}; use 'tanh' or 'relu'")
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, bias, *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTMCell(RNNCellBase):
    """One moment of an `LSTM`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRUCell(RNNCellBase):
    """One moment of a `GRU`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("GRU", *args, **kwargs)
