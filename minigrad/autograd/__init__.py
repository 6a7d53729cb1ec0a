"""Automatic differentiation.

Reading order: `operation` (what an operation is, and its call in five steps), `tensor_base` and `node` (what it leaves behind),
`engine` (the walk back). Then what they lean on: `casting` (dtypes that go together), `versions` and `views` (memory that is
changed, and shared), `hooks`, `grad_mode` (`no_grad` and its relatives), `passes`. `function` has operations that users write, and
`gradcheck` compares derivatives with finite differences. `functional` has the Jacobian and the Hessian of a function.

`inspection`, `anomaly_mode`, `saved` and `graph` are for looking into the graph, and for changing what it keeps.
"""

from minigrad.autograd import functional, graph
from minigrad.autograd.anomaly_mode import (
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_detect_anomaly,
)
from minigrad.autograd.casting import cast
from minigrad.autograd.engine import backward, grad
from minigrad.autograd.function import Function, FunctionCtx
from minigrad.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from minigrad.autograd.gradcheck import gradcheck, gradgradcheck
from minigrad.autograd.hooks import when_complete
from minigrad.autograd.inspection import RemovableHandle, nodes_behind
from minigrad.autograd.node import AccumulateGrad, Node, Op, clock, record
from minigrad.autograd.operation import op
from minigrad.autograd.tensor_base import TensorBase, raw, result_class, tensors_in, unwrapped, wrap
from minigrad.autograd.versions import count_change
from minigrad.autograd.views import needs_grad, refresh, share
