"""Functions that turn functions into their derivatives, under the names of `torch.func`.

`transforms` has `grad` and its relatives, and `stateless` calls a module with parameters from outside.
"""

from minigrad.func.stateless import functional_call
from minigrad.func.transforms import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vjp, vmap

__all__ = ["functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp", "vmap"]
