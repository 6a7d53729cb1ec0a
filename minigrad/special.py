"""`torch.special`: special functions under the names that SciPy has for them. Those that need other algorithms are not here."""

from minigrad.ops.arithmetic import sinc
from minigrad.ops.elementwise import exp2, expm1, log1p, round
from minigrad.ops.elementwise import sigmoid as expit
from minigrad.ops.reduction import log_softmax, logsumexp, softmax
from minigrad.ops.special import digamma, erf, erfc, erfinv, logit, polygamma, xlogy
from minigrad.ops.special import lgamma as gammaln

psi = digamma

__all__ = [
    "digamma", "erf", "erfc", "erfinv", "exp2", "expit", "expm1", "gammaln", "log1p", "log_softmax", "logit", "logsumexp",
    "polygamma", "psi", "round", "sinc", "softmax", "xlogy",
]  # fmt: skip
