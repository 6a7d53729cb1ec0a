"""The gradients of a linear layer under mean squared error: derived by hand, and computed by minigrad and by torch.

Let z = w x + b with x of shape (5, 1), w (3, 5), b and y (3, 1), and let the loss be

    L = ‖y - z‖² / 3 = 1/3 Σᵢ (yᵢ - zᵢ)²,    zᵢ = Σⱼ wᵢⱼ xⱼ + bᵢ.

Each zᵢ stands in one term of the sum only:

    ∂L/∂zᵢ = 1/3 · 2 (yᵢ - zᵢ) · (-1) = -2 (yᵢ - zᵢ) / 3.

wᵢⱼ and bᵢ reach the loss through zᵢ alone, with ∂zᵢ/∂wᵢⱼ = xⱼ and ∂zᵢ/∂bᵢ = 1, so by the chain rule

    ∂L/∂wᵢⱼ = -2 (yᵢ - zᵢ) xⱼ / 3,    that is    ∂L/∂w = -2 (y - b - w x) xᵀ / 3    of shape (3, 5), as w,
    ∂L/∂bᵢ  = -2 (yᵢ - zᵢ) / 3,       that is    ∂L/∂b = -2 (y - b - w x) / 3       of shape (3, 1), as b.

The inputs below are what torch draws after `manual_seed(1)`: x = randn(5, 1), y = randn(3, 1), w = randn(3, 5),
b = randn(3, 1), written with the digits that give back the same float32.
"""

from types import ModuleType

import numpy as np
import pytest
import torch

import minigrad

X = np.array([[0.66135216], [0.2669241], [0.06167726], [0.6213173], [-0.45190597]], np.float32)
Y = np.array([[-0.16613023], [-1.5227685], [0.38168392]], np.float32)
W = np.array(
    [
        [-1.0276086, -0.5630528, -0.89229053, -0.058250178, -0.19550958],
        [-0.96563596, 0.42241532, 0.267317, -0.42119515, -0.5107],
        [-1.5726652, -0.12324776, 3.5869894, -1.8312901, 1.5987003],
    ],
    np.float32,
)
B = np.array([[-1.277007], [0.32550153], [-0.47914493]], np.float32)

# What torch prints for them.
PRINTED_LOSS = "tensor(6.0846, grad_fn=<DivBackward0>)"
PRINTED_W_GRAD = """\
tensor([[-0.8570, -0.3459, -0.0799, -0.8051,  0.5856],
        [ 0.5767,  0.2328,  0.0538,  0.5418, -0.3941],
        [-1.5753, -0.6358, -0.1469, -1.4799,  1.0764]])"""
PRINTED_B_GRAD = """\
tensor([[-1.2958],
        [ 0.8720],
        [-2.3819]])"""

FRAMEWORKS = pytest.mark.parametrize("framework", [minigrad, torch], ids=["minigrad", "torch"])


def loss_and_leaves(framework: ModuleType):
    x, y = framework.tensor(X), framework.tensor(Y)
    w, b = framework.tensor(W, requires_grad=True), framework.tensor(B, requires_grad=True)
    return ((y - (w @ x + b)) ** 2).sum() / 3, w, b


@FRAMEWORKS
def test_gradients_are_those_derived_by_hand(framework):
    loss, w, b = loss_and_leaves(framework)
    loss.backward()
    x64, y64, w64, b64 = (a.astype(np.float64) for a in (X, Y, W, B))
    error = y64 - b64 - w64 @ x64
    np.testing.assert_allclose(loss.item(), (error**2).sum() / 3, rtol=1e-6)
    np.testing.assert_allclose(w.grad.numpy(), -2 * error @ x64.T / 3, rtol=1e-6)
    np.testing.assert_allclose(b.grad.numpy(), -2 * error / 3, rtol=1e-6)


@FRAMEWORKS
def test_prints_the_known_values(framework):
    loss, w, b = loss_and_leaves(framework)
    loss.backward()
    assert repr(loss) == PRINTED_LOSS
    assert repr(w.grad) == PRINTED_W_GRAD
    assert repr(b.grad) == PRINTED_B_GRAD


@FRAMEWORKS
def test_mse_loss_is_this_loss(framework):
    loss, w, b = loss_and_leaves(framework)
    mean = framework.nn.functional.mse_loss(w @ framework.tensor(X) + b, framework.tensor(Y))
    np.testing.assert_allclose(mean.item(), loss.item(), rtol=1e-6)


def test_the_inputs_are_what_torch_draws():
    generator = torch.Generator().manual_seed(1)
    for array in (X, Y, W, B):
        assert np.array_equal(torch.randn(array.shape, generator=generator).numpy(), array)
