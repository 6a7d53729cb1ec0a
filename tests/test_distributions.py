"""Distributions beside torch's: the same samples from the same seed, values, gradients, shapes and errors."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import torch

import minigrad as mg
from tests.twins import assert_same, raised, same_as_torch, variable


def made(m: Any) -> dict[str, Any]:
    """Distributions of each kind: of numbers, of tensors that require gradients, of batches."""
    d = m.distributions
    real, wide = variable(m, 3, dtype="float32"), variable(m, 2, 3, dtype="float64", seed=1)
    probs = m.tensor([[0.2, 0.3, 0.5], [0.0, 1.0, 3.0]], requires_grad=True)
    spread = variable(m, 3, 3, dtype="float64", seed=2) + 2 * m.eye(3)
    lower = m.tensor([[1.0, 0.0, 0.0], [0.5, 2.0, 0.0], [-1.0, 0.3, 0.5]], requires_grad=True)
    return {
        "Normal of numbers": d.Normal(1, 2.0),
        "Normal": d.Normal(real, m.ones(2, 1)),
        "Normal of 16": d.Normal(m.zeros(4, 4), m.full((4, 4), 0.5)),
        "Normal of float64": d.Normal(wide, wide.exp()),
        "Uniform of numbers": d.Uniform(-1.0, 3),
        "Uniform": d.Uniform(real, real + m.tensor([[1.0], [2.0]])),
        "Uniform of float64": d.Uniform(wide, 9.0),
        "Bernoulli of a number": d.Bernoulli(0.3),
        "Bernoulli": d.Bernoulli(m.tensor([0.0, 0.25, 0.5, 0.75, 1.0], requires_grad=True)),
        "Bernoulli of logits": d.Bernoulli(logits=real),
        "Categorical": d.Categorical(probs),
        "Categorical of logits": d.Categorical(logits=wide),
        "Categorical without batch": d.Categorical(m.tensor([1.0, 2.0])),
        "Independent": d.Independent(d.Normal(wide, wide.exp()), 1),
        "Independent of none": d.Independent(d.Bernoulli(logits=real), 0),
        "Exponential of a number": d.Exponential(2.0), "Exponential": d.Exponential(wide.exp()),
        "Laplace of numbers": d.Laplace(0.5, 2.0), "Laplace": d.Laplace(real, real.exp()),
        "Laplace of float64": d.Laplace(wide, 1.5),
        "Gamma of numbers": d.Gamma(2.0, 3.0), "Gamma": d.Gamma(real.exp() * 0.5, m.full((2, 1), 2.0)),
        "Gamma of float64": d.Gamma(wide.exp(), wide.exp() + 1),
        "Beta of numbers": d.Beta(0.5, 3.0), "Beta": d.Beta(real.exp(), m.tensor([[0.25], [4.0]])),
        "Beta of float64": d.Beta(wide.exp(), 0.5),
        "Dirichlet": d.Dirichlet(m.stack([real, -real]).abs() + 0.5), "Dirichlet of float64": d.Dirichlet(wide.exp()),
        "Dirichlet of corners": d.Dirichlet(m.tensor([[0.5, 0.75], [3.0, 0.5]])),
        "Poisson of a number": d.Poisson(2.5), "Poisson": d.Poisson(m.tensor([0.5, 9.0, 40.0], requires_grad=True)),
        "Poisson of float64": d.Poisson(wide.exp() * 8),
        "Geometric of a number": d.Geometric(0.3), "Geometric": d.Geometric(m.tensor([0.25, 0.75, 1.0], requires_grad=True)),
        "Geometric of logits": d.Geometric(logits=real),
        "OneHotCategorical": d.OneHotCategorical(probs), "OneHotCategorical of logits": d.OneHotCategorical(logits=wide),
        "LogNormal of numbers": d.LogNormal(0.5, 0.25), "LogNormal": d.LogNormal(wide, wide.exp()),
        "HalfNormal": d.HalfNormal(wide.exp()), "Gumbel": d.Gumbel(wide, wide.exp()),
        "Transformed by tanh": d.TransformedDistribution(d.Normal(wide, 0.5), d.TanhTransform(cache_size=1)),
        "Transformed by several": d.TransformedDistribution(d.Normal(wide, 0.5), [
            d.SigmoidTransform(), d.AffineTransform(-1.0, m.tensor([2.0, 3.0, -4.0], dtype=m.float64))]),
        "Transformed rows": d.TransformedDistribution(d.Normal(wide, 0.5), d.AffineTransform(1.0, 2.0, event_dim=1)),
        "Transformed Independent": d.TransformedDistribution(d.Independent(d.Normal(wide, 0.5), 1), [d.ExpTransform()]),
        "Transformed by none": d.TransformedDistribution(d.Normal(wide, 0.5), []),
        "MixtureSameFamily": d.MixtureSameFamily(d.Categorical(logits=wide), d.Normal(wide, wide.exp())),
        "MixtureSameFamily of rows": d.MixtureSameFamily(d.Categorical(logits=wide[:, 0]), d.Independent(d.Normal(wide, 0.5), 1)),
        "MultivariateNormal": d.MultivariateNormal(wide, covariance_matrix=spread.mT @ spread),
        "MultivariateNormal of precision": d.MultivariateNormal(wide[0], precision_matrix=spread @ spread.mT),
        "MultivariateNormal of scale_tril": d.MultivariateNormal(m.zeros(3), scale_tril=m.stack([lower, lower * 2])),
        "MultivariateNormal broadcast": d.MultivariateNormal(m.zeros(4, 1, 3).double(), spread.mT @ spread),
        "Mixture of MultivariateNormals": d.MixtureSameFamily(
            d.Categorical(logits=wide[:, 0]), d.MultivariateNormal(wide, m.eye(3).double())),
        "OneHotCategoricalStraightThrough": d.OneHotCategoricalStraightThrough(probs),
    }


NAMES = list(made(torch))
ROUNDED = ("Laplace", "Geometric", "LogNormal", "Gumbel", "Transformed", "Multivariate", "Mixture of")  # their last bit may differ
NO_GRADIENT = ("Gamma", "Beta", "Dirichlet")  # of samples, in minigrad


def cancels(name: str) -> bool:
    """Whether the density is a sum of large numbers that cancel: float32 leaves too few digits to be compared."""
    return name.startswith(NO_GRADIENT) and not name.endswith("float64")


def seeded(m: Any, draw: Any) -> Any:
    m.manual_seed(3)
    return draw()


def attempt(function: Any, *args: Any) -> Any:
    """What a call gives, or the type and the words of the error that it raises."""
    try:
        return function(*args)
    except (NotImplementedError, ValueError, RuntimeError, AttributeError) as error:
        return type(error).__name__, str(error).replace("minigrad", "torch") if isinstance(error, ValueError) else ""


def gradient_of(m: Any, result: Any) -> list[Any]:
    """The gradient that `result` sends to each leaf it was computed from."""
    leaves, stack, seen = [], [result.grad_fn], set()
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves.append(node.variable)
        stack += [edge for edge, _ in node.next_functions]
    unique = list({id(leaf): leaf for leaf in leaves}.values())
    return list(m.autograd.grad(result.sum(), unique, retain_graph=True)) if unique else []


@pytest.mark.parametrize("name", NAMES)
@same_as_torch
def test_what_it_is(m: Any, name: str) -> Any:
    d = made(m)[name]
    facts = [attempt(lambda: getattr(d, what)) for what in ("mean", "stddev", "variance", "mode", "param_shape")]  # noqa: B023
    has_rsample = d.has_rsample and not name.startswith(NO_GRADIENT)
    return repr(d), d.batch_shape, d.event_shape, has_rsample, d.has_enumerate_support, repr(d.support), facts, repr(d)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (2,), (4, 5), (1, 1)], ids=str)
@same_as_torch
def test_the_same_samples(m: Any, name: str, shape: tuple[int, ...]) -> Any:
    d = made(m)[name]
    sample = seeded(m, lambda: d.sample(shape))
    assert (sample.dtype, not sample.requires_grad) == (d.sample().dtype, True)
    bits = None if name.startswith(ROUNDED) else sample.detach().numpy().tobytes()
    again = None if name.startswith(NO_GRADIENT) else attempt(seeded, m, lambda: d.rsample(shape))
    return sample, bits, again, m.rand(2) if again is not None else None


@pytest.mark.parametrize("name", NAMES)
@same_as_torch
def test_densities_and_entropy(m: Any, name: str) -> Any:
    if cancels(name):
        return ""
    d = made(m)[name]
    value = seeded(m, lambda: d.sample((2,)))
    log_prob, entropy = d.log_prob(value), attempt(d.entropy)
    every = attempt(d.enumerate_support), attempt(d.enumerate_support, False)
    inverse = attempt(d.icdf, m.tensor([0.25], dtype=value.dtype)) if value.dtype.is_floating_point else None
    gradients = [gradient_of(m, x) if hasattr(x, "grad_fn") else None for x in (log_prob, entropy)]
    if name.startswith(NO_GRADIENT):  # torch's trigamma function has nine digits
        gradients[1] = [g.float() for g in gradients[1]]
    cdf = None if name.startswith("Gamma") else attempt(d.cdf, value)  # which is not here
    return log_prob, entropy, attempt(d.perplexity), cdf, inverse, every, gradients


@pytest.mark.parametrize("name", NAMES)
@same_as_torch
def test_gradients_reach_the_parameters_through_samples(m: Any, name: str) -> Any:
    d = made(m)[name]
    if name.startswith(NO_GRADIENT):
        return "" if m is torch else raised(d.rsample).replace("NotImplementedError", "")
    if not d.has_rsample:
        return raised(d.rsample)
    sample = seeded(m, lambda: d.rsample((3,)))
    return sample, gradient_of(m, sample)


@pytest.mark.parametrize("name", NAMES)
@same_as_torch
def test_expanded(m: Any, name: str) -> Any:
    d = made(m)[name]
    larger = d.expand((5, *d.batch_shape))
    drawn = seeded(m, lambda: larger.sample((2,)))
    density = None if cancels(name) else larger.log_prob(drawn)
    return type(larger).__name__, larger.batch_shape, larger.event_shape, drawn, density, raised(d.expand, (7, 7))


@same_as_torch
def test_parameters_that_are_computed_show_once_they_are_there(m: Any) -> Any:
    d = m.distributions.Bernoulli(logits=m.zeros(2, requires_grad=True))
    with m.no_grad():
        probs = d.probs
    return probs, "probs" in vars(d), repr(d), probs is d.probs


# ---- arguments -----------------------------------------------------------------------------------------------------------


@same_as_torch
def test_parameters_out_of_their_region(m: Any) -> Any:
    d, one = m.distributions, m.tensor([1.0, -1.0])
    return [attempt(make) for make in (
        lambda: d.Normal(0.0, -1.0), lambda: d.Normal(0.0, one), lambda: d.Normal(one * math.nan, 1.0), lambda: d.Uniform(1.0, 1.0),
        lambda: d.Uniform(one, 0.5), lambda: d.Bernoulli(1.5), lambda: d.Bernoulli(logits=math.nan), lambda: d.Categorical(one),
        lambda: d.Categorical(logits=one * math.nan), lambda: d.Bernoulli(), lambda: d.Bernoulli(0.5, 0.5), lambda: d.Categorical(),
        lambda: d.Categorical(one, one), lambda: d.Categorical(m.tensor(1.0)), lambda: d.Categorical(logits=m.tensor(1.0)),
        lambda: d.Independent(d.Normal(one, 1.0), 2), lambda: d.MultivariateNormal(one), lambda: d.MultivariateNormal(one, one),
        lambda: d.MultivariateNormal(one[0], m.eye(2)), lambda: d.MultivariateNormal(one, m.eye(2), m.eye(2)),
        lambda: d.MultivariateNormal(one, -m.eye(2)), lambda: d.MultivariateNormal(one, scale_tril=m.ones(2, 2)),
        lambda: d.MultivariateNormal(one, m.ones(2, 2)[:, :1]),
        lambda: d.MultivariateNormal(one, precision_matrix=m.tensor([[1.0, 0.0], [0.5, 1.0]])))]  # fmt: skip


@same_as_torch
def test_parameters_that_are_neither_tensors_nor_numbers(m: Any) -> Any:
    d = m.distributions
    return [raised(lambda: d.Normal("a", 1.0)), raised(lambda: d.Uniform(0.0, [1.0])), raised(lambda: d.Bernoulli([0.5]))]


@same_as_torch
def test_values_outside_the_support(m: Any) -> Any:
    d = m.distributions
    normal, uniform = d.Normal(m.zeros(3), 1.0), d.Uniform(m.zeros(3), 1.0)
    classes, joint = d.Categorical(m.ones(3)), d.Independent(normal, 1)
    cases = [(normal, m.tensor(math.nan)), (normal, m.zeros(2)), (normal, 1.0), (uniform, m.tensor([0.0, 1.0, 1.5])),
             (d.Bernoulli(0.5), m.tensor(0.5)), (classes, m.tensor(3)), (classes, m.tensor(-1)), (classes, m.tensor(0.5)),
             (joint, m.zeros(2)), (joint, m.zeros(()))]  # fmt: skip
    others = [attempt(uniform.cdf, m.tensor(2.0)), attempt(uniform.expand((2, 3)).log_prob, m.tensor(2.0))]
    return [attempt(each.log_prob, value) for each, value in cases] + others


@same_as_torch
def test_nothing_is_checked_on_demand(m: Any) -> Any:
    d = m.distributions
    uniform = d.Uniform(m.zeros(3), 1.0, validate_args=False)
    half, two = m.tensor([0.5, 1.0, 2.0]), m.tensor([-1.0, 1.0, 2.0])
    return (d.Normal(0.0, -1.0, validate_args=False).scale, uniform.log_prob(half), uniform.expand((2, 3)).log_prob(half),
            uniform.cdf(two), uniform.icdf(half))


@pytest.fixture
def defaults_restored() -> Iterator[None]:
    yield
    for m in (torch, mg):
        m.distributions.Distribution.set_default_validate_args(True)


@pytest.mark.usefixtures("defaults_restored")
@same_as_torch
def test_nothing_is_checked_by_default(m: Any) -> Any:
    m.distributions.Distribution.set_default_validate_args(False)
    return m.distributions.Normal(0.0, -1.0).scale, raised(m.distributions.Distribution.set_default_validate_args, "no")


CONSTRAINTS = ("boolean", "real", "positive", "nonnegative", "unit_interval", "nonnegative_integer", "positive_integer",
               "simplex", "real_vector", "lower_cholesky", "positive_definite", "greater_than(1.)",
               "greater_than_eq(1.)", "less_than(1.)", "interval(0., 1.)",
               "half_open_interval(0., 1.)", "integer_interval(0, 1)", "independent(independent(real, 1), 1)")  # fmt: skip


@pytest.mark.parametrize("name", CONSTRAINTS)
@same_as_torch
def test_constraints(m: Any, name: str) -> Any:
    constraint = eval(name, vars(m.distributions.constraints))
    values = m.tensor([[-1.0, 0.0, 0.5], [1.0, 2.0, math.nan], [0.0, 0.5, 0.5]])
    checked = constraint.check(values), raised(constraint.check, values[0, 0])
    return repr(constraint), constraint.is_discrete, constraint.event_dim, checked


# ---- subclasses ----------------------------------------------------------------------------------------------------------


@same_as_torch
def test_a_distribution_of_ones_own(m: Any) -> Any:
    class Shifted(m.distributions.Distribution):  # type: ignore[name-defined]
        arg_constraints: ClassVar[Any] = {"by": m.distributions.constraints.positive}
        support = m.distributions.constraints.real

        def __init__(self, by: Any, validate_args: Any = None) -> None:
            self.by = by
            super().__init__(by.shape, validate_args=validate_args)

        def rsample(self, sample_shape: Any = ()) -> Any:
            return self.by + m.rand(self._extended_shape(sample_shape))

        @property
        def variance(self) -> Any:
            return m.full_like(self.by, 4.0)

    d = Shifted(m.ones(2, requires_grad=True))
    with pytest.warns(FutureWarning, match="sample_n"):
        old = seeded(m, lambda: d.sample_n(4))
    missing = [raised(method, m.ones(2)) for method in (d.log_prob, d.cdf, d.icdf)]
    missing += [raised(d.entropy), raised(d.enumerate_support), raised(lambda: d.mean), raised(lambda: d.mode)]
    return repr(d), old, d.stddev, missing, attempt(lambda: Shifted(m.zeros(2)))


@pytest.mark.parametrize("m", [torch, mg], ids=["torch", "minigrad"])
def test_a_distribution_that_declares_nothing_gives_warnings(m: Any) -> None:
    class Bare(m.distributions.Distribution):  # type: ignore[name-defined]
        def log_prob(self, value: Any) -> Any:
            self._validate_sample(value)
            return value

    with pytest.warns(UserWarning, match="does not define `arg_constraints`") as seen:
        d = Bare()
    with pytest.warns(UserWarning, match="does not define `support`") as seen_later:
        d.log_prob(m.ones(2))
    assert [warning.filename for warning in (*seen, *seen_later)] == [__file__] * 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Bare(validate_args=False)


# ---- divergences ---------------------------------------------------------------------------------------------------------


KINDS = ("Normal", "Uniform of numbers", "Uniform", "Bernoulli of logits", "Categorical", "Independent", "Independent of none")


@pytest.mark.parametrize("p", KINDS)
@pytest.mark.parametrize("q", KINDS)
@same_as_torch
def test_divergences(m: Any, p: str, q: str) -> Any:
    either = made(m)
    divergence = attempt(m.distributions.kl_divergence, either[p], either[q])
    return divergence, gradient_of(m, divergence) if hasattr(divergence, "grad_fn") else None


@pytest.mark.parametrize("name", [
    "Exponential", "Laplace of float64", "Gamma of float64", "Beta of float64", "Dirichlet of float64", "Poisson of float64",
    "Geometric", "OneHotCategorical of logits", "MultivariateNormal", "MultivariateNormal of precision",
])  # fmt: skip
@same_as_torch
def test_divergences_from_another_of_the_kind(m: Any, name: str) -> Any:
    d, a, b = m.distributions, variable(m, 2, 3, seed=4), variable(m, 2, 3, seed=5)
    p = made(m)[name]
    others = {
        "Exponential": lambda: d.Exponential(a.exp()), "Laplace": lambda: d.Laplace(a, b.exp()),
        "Gamma": lambda: d.Gamma(a.exp(), b.exp()), "Beta": lambda: d.Beta(a.exp(), b.exp()),
        "Dirichlet": lambda: d.Dirichlet(a.exp()), "Poisson": lambda: d.Poisson(a.exp()),
        "Geometric": lambda: d.Geometric(m.tensor([0.5, 0.25, 0.125], requires_grad=True)),
        "OneHotCategorical": lambda: d.OneHotCategorical(logits=a),
        "MultivariateNormal": lambda: d.MultivariateNormal(b.double(), scale_tril=m.diag_embed(a.double().exp())),
    }  # fmt: skip
    divergence = d.kl_divergence(p, others[name.partition(" ")[0]]())
    return divergence.detach(), [g.float() for g in gradient_of(m, divergence)]


@same_as_torch
def test_divergences_of_transformed(m: Any) -> Any:
    d, kl, a = m.distributions, m.distributions.kl_divergence, variable(m, 3)
    tanh = d.TransformedDistribution(d.Normal(a, 0.5), d.TanhTransform())
    other = d.TransformedDistribution(d.Normal(0.0, 1.0), [d.AffineTransform(0.0, 2.0)])
    same = d.TransformedDistribution(d.Normal(a, 1.0), [d.AffineTransform(0.0, 2.0)])
    return (kl(d.LogNormal(a, 1.0), d.LogNormal(0.5, 2.0)), kl(d.HalfNormal(a.exp()), d.HalfNormal(2.0)), raised(kl, tanh, other),
            kl(same, other), raised(kl, tanh, d.Normal(a, 1.0)))


TRANSFORMS = {
    "exp": lambda m, t: t.ExpTransform(), "tanh": lambda m, t: t.TanhTransform(),
    "sigmoid": lambda m, t: t.SigmoidTransform(),
    "affine": lambda m, t: t.AffineTransform(0.5, -2.0), "affine of tensors": lambda m, t: t.AffineTransform(
        m.ones(3).double(), m.tensor([1.0, -2.0, 3.0]).double()),
    "affine of rows": lambda m, t: t.AffineTransform(0.5, 2.0, event_dim=1), "abs": lambda m, t: t.AbsTransform(),
    "power": lambda m, t: t.PowerTransform(2.0),
    "power of tensors": lambda m, t: t.PowerTransform(m.tensor([1.0, -2.0, 0.5]).double()),
    "composed": lambda m, t: t.ComposeTransform([t.AffineTransform(0.5, 0.25), t.TanhTransform(), t.AffineTransform(1.0, -1.0)]),
    "composed of rows": lambda m, t: t.ComposeTransform([t.ExpTransform(), t.AffineTransform(0.5, 0.25, 1), t.ExpTransform()]),
    "identity": lambda m, t: t.identity_transform, "back": lambda m, t: t.ExpTransform().inv,
    "back of several": lambda m, t: t.ComposeTransform([t.AffineTransform(0.5, 2.0), t.ExpTransform()]).inv,
}  # fmt: skip


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("name", TRANSFORMS)
@same_as_torch
def test_transforms(m: Any, name: str, cached: bool) -> Any:
    t = TRANSFORMS[name](m, m.distributions.transforms)
    t = t.with_cache() if cached else t
    x = variable(m, 2, 3).abs() + 0.5
    y = t(x)
    back = t.inv(y)
    equal = [t == t, t == TRANSFORMS[name](m, m.distributions.transforms), t == m.distributions.SigmoidTransform(), t.inv.inv is t]
    facts = [attempt(lambda: getattr(t, what)) for what in ("bijective", "sign", "event_dim")]  # noqa: B023
    slopes = [attempt(t.log_abs_det_jacobian, x, y), attempt(t.inv.log_abs_det_jacobian, y, x)]
    results = [each.detach() if hasattr(each, "detach") else each for each in (y, back, *slopes)]  # torch's nodes have other names
    return (results, [gradient_of(m, each) for each in (y, back, *slopes) if hasattr(each, "detach")], back is x, repr(t),
            repr(t.inv), repr(t.domain), repr(t.codomain), equal, facts)


@same_as_torch
def test_a_transform_of_ones_own(m: Any) -> Any:
    """The squashed normal distribution of many reinforcement learning programs."""
    d = m.distributions

    class Squash(d.transforms.Transform):  # type: ignore[name-defined]
        domain, codomain, bijective, sign = d.constraints.real, d.constraints.interval(-1.0, 1.0), True, 1

        def __init__(self, cache_size: int = 1) -> None:
            super().__init__(cache_size=cache_size)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Squash)

        def _call(self, x: Any) -> Any:
            return x.tanh()

        def _inverse(self, y: Any) -> Any:
            return m.atanh(y.clamp(-0.999, 0.999))

        def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
            return 2.0 * (math.log(2.0) - x - m.nn.functional.softplus(-2.0 * x))

    mean = variable(m, 4)
    policy = d.TransformedDistribution(d.Normal(mean, 2.0), [Squash()])
    action = seeded(m, policy.rsample)
    log_prob = policy.log_prob(action).sum(-1, keepdim=True)
    return action, log_prob, gradient_of(m, log_prob), raised(d.transforms.Transform, 2), raised(
        d.TransformedDistribution, policy, [3]), raised(d.TransformedDistribution, policy, 3)


@same_as_torch
def test_divergences_at_the_edges(m: Any) -> Any:
    d, kl = m.distributions, m.distributions.kl_divergence
    certain = m.tensor([0.0, 0.0, 1.0, 1.0, 0.5], requires_grad=True)
    others = m.tensor([0.0, 1.0, 0.0, 1.0, 0.0], requires_grad=True)
    first, second = m.tensor([[0.0, 1.0], [0.5, 0.5]], requires_grad=True), m.tensor([[0.5, 0.5], [0.0, 1.0]], requires_grad=True)
    return (kl(d.Bernoulli(certain), d.Bernoulli(others)), kl(d.Categorical(first), d.Categorical(second)),
            kl(d.Uniform(m.tensor([0.0, -1.0]), 1.0), d.Uniform(0.0, 2.0)),
            raised(kl, d.Independent(d.Normal(m.zeros(2, 2), 1.0), 1), d.Independent(d.Normal(m.zeros(2, 2), 1.0), 2)),
            raised(kl, *(d.MultivariateNormal(m.zeros(n), m.eye(n)) for n in (2, 3))))


@same_as_torch
def test_rules_of_ones_own(m: Any) -> Any:
    d, kl = m.distributions, m.distributions.kl_divergence

    class Left(d.Normal):  # type: ignore[name-defined]
        pass

    class Right(d.Normal):  # type: ignore[name-defined]
        pass

    inherited = kl(Left(0.0, 1.0), Right(1.0, 1.0))
    d.register_kl(Left, d.Normal)(lambda p, q: m.tensor(1.0))
    nearer = kl(Left(0.0, 1.0), Right(1.0, 1.0))
    d.kl.register_kl(d.Normal, Right)(lambda p, q: m.tensor(2.0))
    with pytest.warns(RuntimeWarning, match=r"Ambiguous kl_divergence\(Left, Right\)"):
        ambiguous = kl(Left(0.0, 1.0), Right(1.0, 1.0))
    return inherited, nearer, ambiguous, kl(d.Normal(0.0, 1.0), Right(0.0, 1.0)), raised(d.register_kl, "Left", Left)


def test_policy_gradient_from_one_seed() -> None:
    """What a course on reinforcement learning does with it: sample actions, weigh their log-probabilities, differentiate."""

    def train(m: Any) -> Any:
        m.manual_seed(0)
        policy = m.nn.Linear(4, 3)
        optimizer = m.optim.SGD(policy.parameters(), lr=0.1)
        actions = []
        for _ in range(10):
            d = m.distributions.Categorical(logits=policy(m.randn(8, 4)))
            action = d.sample()
            loss = -(d.log_prob(action) * (action == 1).float()).mean() - 0.01 * d.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            actions.append(action.tolist())
        return actions, policy.weight.detach()

    assert_same(train(mg), train(torch))
