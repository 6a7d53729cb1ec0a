"""The divergence of Kullback and Leibler, a rule for each pair of distributions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from itertools import product
from typing import Any

from minigrad.distributions.bernoulli import Bernoulli
from minigrad.distributions.beta import Beta
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.dirichlet import Dirichlet
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.exponential import Exponential
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.geometric import Geometric
from minigrad.distributions.independent import Independent
from minigrad.distributions.laplace import Laplace
from minigrad.distributions.multivariate_normal import MultivariateNormal, times
from minigrad.distributions.normal import Normal
from minigrad.distributions.one_hot_categorical import OneHotCategorical
from minigrad.distributions.poisson import Poisson
from minigrad.distributions.transformed_distribution import HalfNormal, TransformedDistribution
from minigrad.distributions.uniform import Uniform
from minigrad.distributions.utils import sum_rightmost
from minigrad.nn.functional import softplus
from minigrad.ops.elementwise import exp, log1p
from minigrad.ops.special import digamma, lgamma
from minigrad.tensors.creation import full_like
from minigrad.tensors.tensor import Tensor

Rule = Callable[[Any, Any], Tensor]
_RULES: dict[tuple[type, type], Rule] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Rule], Rule]:
    """Make a decorator: the function below it, of p and q, is `kl_divergence` for these types and their subclasses."""
    for kind in (type_p, type_q):
        if not isinstance(kind, type):
            raise TypeError(f"register_kl() expects subclasses of Distribution, but got {kind!r}")

    def register(rule: Rule) -> Rule:
        _RULES[type_p, type_q] = rule
        return rule

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p ‖ q), the expected value under p of log p(x) - log q(x); of shape `batch_shape`.

    Raises
    ------
    NotImplementedError
        If there is no rule for the two; see `register_kl`.

    Examples
    --------
    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 2.0))
    tensor(0.4431)
    """
    # The rule for the nearest pair of base classes: p's counts first, or q's; they should agree.
    ps, qs = type(p).__mro__, type(q).__mro__
    by_p = next((_RULES[pair] for pair in product(ps, qs) if pair in _RULES), None)
    by_q = next((_RULES[pair] for pair in (pair[::-1] for pair in product(qs, ps)) if pair in _RULES), None)
    if by_p is None:
        raise NotImplementedError(f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}")
    if by_p is not by_q:
        warnings.warn(f"Ambiguous kl_divergence({type(p).__name__}, {type(q).__name__}): register_kl() a rule for this pair.",
                      RuntimeWarning, stacklevel=2)
    return by_p(p, q)


@register_kl(Normal, Normal)
def _normal_normal(p: Normal, q: Normal) -> Tensor:
    """(σ² + μ² - 1 - log σ²) / 2, σ = p.scale / q.scale, μ = (p.loc - q.loc) / q.scale."""
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_multivariate(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    """Log det M - log det L + (|M⁻¹ L|² + |M⁻¹ (q.loc - p.loc)|² - n) / 2, L and M being the factors of p and q."""
    if p.event_shape != q.event_shape:
        raise ValueError("KL-divergence between two Multivariate Normals with different event shapes cannot be computed: "
                         f"{list(p.event_shape)} and {list(q.event_shape)}")
    inverse = q._inverse()
    squares = (inverse @ p._unbroadcasted_scale_tril).pow(2).sum((-2, -1)) + times(inverse, q.loc - p.loc).pow(2).sum(-1)
    return q._log_det() - p._log_det() + 0.5 * (squares - p.event_shape[0])


@register_kl(Normal, Uniform)
def _normal_uniform(p: Normal, q: Uniform) -> Tensor:
    """Infinite: p gives samples where q gives none."""
    return full_like(p.loc, math.inf)


@register_kl(Uniform, Uniform)
def _uniform_uniform(p: Uniform, q: Uniform) -> Tensor:
    """The logarithm of the ratio of the lengths; infinite where p's interval is not inside q's."""
    result = ((q.high - q.low) / (p.high - p.low)).log()
    result[(q.low > p.low) | (q.high < p.high)] = math.inf
    return result


@register_kl(Uniform, Normal)
def _uniform_normal(p: Uniform, q: Normal) -> Tensor:
    """log(q.scale √2π / length) + (length² / 12 + (middle - q.loc)²) / 2 q.scale²."""
    length, distance = p.high - p.low, (p.high + p.low - 2 * q.loc) / 2
    return (math.sqrt(math.pi * 2) * q.scale / length).log() + 0.5 * (distance.pow(2) + length.pow(2) / 12) / q.scale.pow(2)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    """p log(p / q) + (1 - p) log((1 - p) / (1 - q)).

    For x log odds of p, log p = -softplus(-x) and log(1 - p) = -softplus(x).
    """
    of_ones = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    of_ones[q.probs == 0] = math.inf
    of_ones[p.probs == 0] = 0
    of_zeros = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    of_zeros[q.probs == 1] = math.inf
    of_zeros[p.probs == 1] = 0
    return of_ones + of_zeros


@register_kl(Categorical, Categorical)
def _categorical_categorical(p: Categorical, q: Categorical) -> Tensor:
    """∑ p (log p - log q)."""
    terms = p.probs * (p.logits - q.logits)
    terms[(q.probs == 0).expand_as(terms)] = math.inf
    terms[(p.probs == 0).expand_as(terms)] = 0
    return terms.sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot_one_hot(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    """That of their classes."""
    return _categorical_categorical(p._categorical, q._categorical)


@register_kl(Exponential, Exponential)
def _exponential_exponential(p: Exponential, q: Exponential) -> Tensor:
    """r - log(r) - 1, r being the ratio of the rates."""
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Laplace, Laplace)
def _laplace_laplace(p: Laplace, q: Laplace) -> Tensor:
    """r exp(-d / p.scale) + d / q.scale - log(r) - 1, r being the ratio of the scales and d the distance of the middles."""
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * exp(-distance / p.scale) - 1


@register_kl(Poisson, Poisson)
def _poisson_poisson(p: Poisson, q: Poisson) -> Tensor:
    """p.rate log(p.rate / q.rate) - (p.rate - q.rate)."""
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Geometric, Geometric)
def _geometric_geometric(p: Geometric, q: Geometric) -> Tensor:
    """-H(p) - log(1 - q.probs) / p.probs - log(q.probs / (1 - q.probs))."""
    return -p.entropy() - log1p(-q.probs) / p.probs - q.logits


@register_kl(Gamma, Gamma)
def _gamma_gamma(p: Gamma, q: Gamma) -> Tensor:
    """b log(r) + log Γ(b) - log Γ(a) + (a - b) ψ(a) + a (q.rate / p.rate - 1), for concentrations a and b; r: ratio of rates."""
    a, b = p.concentration, q.concentration
    return b * (p.rate / q.rate).log() + (lgamma(b) - lgamma(a)) + (a - b) * digamma(a) + (q.rate - p.rate) * (a / p.rate)


@register_kl(Dirichlet, Dirichlet)
def _dirichlet_dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    """log Γ(∑ a) - log Γ(∑ b) - ∑ (log Γ(a) - log Γ(b)) + ∑ (a - b) (ψ(a) - ψ(∑ a)), for concentrations a and b."""
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    return (lgamma(total) - lgamma(b.sum(-1)) - (lgamma(a) - lgamma(b)).sum(-1)
            + ((a - b) * (digamma(a) - digamma(total).unsqueeze(-1))).sum(-1))  # fmt: skip


@register_kl(Beta, Beta)
def _beta_beta(p: Beta, q: Beta) -> Tensor:
    """That of the Dirichlet distributions."""
    return _dirichlet_dirichlet(p._dirichlet, q._dirichlet)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed_transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    """That of the base distributions, where the transforms are the same."""
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("kl_divergence: two TransformedDistribution must have equal transforms and event shapes")
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(HalfNormal, HalfNormal)
def _half_normal_half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    """That of the normal distributions."""
    return _normal_normal(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independent_independent(p: Independent, q: Independent) -> Tensor:
    """The sum over the parts."""
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("kl_divergence: two Independent must have the same reinterpreted_batch_ndims, got "
                                  f"{p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims}")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)
