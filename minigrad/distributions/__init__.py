"""Probability distributions, under torch's names: sampling, densities, entropies and divergences.

Read `distribution` first, then `normal`. From the same seed the samples are torch's.
"""

from minigrad.distributions import constraints
from minigrad.distributions.bernoulli import Bernoulli
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.independent import Independent
from minigrad.distributions.kl import kl_divergence, register_kl
from minigrad.distributions.normal import Normal
from minigrad.distributions.uniform import Uniform

__all__ = ["Bernoulli", "Categorical", "Distribution", "Independent", "Normal", "Uniform", "kl_divergence", "register_kl"]
