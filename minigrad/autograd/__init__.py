"""Automatic differentiation.

Reading order: `graph` (operations and what they record), `engine` (the walk back), `grad_mode` (`no_grad` and its relatives),
`function` (operations that users write), `gradcheck` (derivatives against finite differences).
"""

from minigrad.autograd.engine import backward, count_up, grad, ones, sum_rows, total
from minigrad.autograd.function import Function, FunctionCtx
from minigrad.autograd.grad_mode import enable_grad, inference_mode, is_grad_enabled, no_grad, quietly, set_grad_enabled
from minigrad.autograd.gradcheck import gradcheck, gradgradcheck
from minigrad.autograd.graph import (
    DOUBLE,
    HALF,
    SINGLE,
    AccumulateGrad,
    Node,
    Op,
    TensorBase,
    cast,
    clock,
    needs_grad,
    op,
    raw,
    record,
    refresh,
    result_class,
    share,
    torch_names,
    unwrapped,
    wrap,
)  # fmt: skip
