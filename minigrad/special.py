"""`torch.special`: special functions under the names that SciPy has for them. Those that need other algorithms are not here."""

from minigrad.ops.arithmetic import sinc
from minigrad.ops.elementwise import exp2, expm1, log1p, round
from minigrad.ops.elementwise import sigmoid as expit
from minigrad.ops.out import with_out as _with_out
from minigrad.ops.reduction import log_softmax, logsumexp, softmax
from minigrad.ops.special import digamma, entr, erf, erfc, erfcx, erfinv, log_ndtr, logit, ndtr, polygamma, xlog1py, xlogy
from minigrad.ops.special import lgamma as gammaln

psi = digamma

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammaln", "log1p", "log_ndtr",
    "log_softmax", "logit", "logsumexp", "ndtr", "polygamma", "psi", "round", "sinc", "softmax", "xlog1py", "xlogy",
]  # fmt: skip

_with_out(globals())
