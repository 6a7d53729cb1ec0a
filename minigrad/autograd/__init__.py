"""Automatic differentiation: `engine` is the whole machine, `function` lets users write operations, `gradcheck` checks them."""

from minigrad.autograd.engine import (
    AccumulateGrad,
    Node,
    Op,
    TensorBase,
    backward,
    cast,
    clock,
    count_up,
    enable_grad,
    grad,
    inference_mode,
    is_grad_enabled,
    needs_grad,
    no_grad,
    ones,
    op,
    quietly,
    raw,
    record,
    refresh,
    result_class,
    set_grad_enabled,
    share,
    sum_rows,
    torch_names,
    wrap,
)
from minigrad.autograd.function import Function, FunctionCtx
from minigrad.autograd.gradcheck import gradcheck, gradgradcheck
