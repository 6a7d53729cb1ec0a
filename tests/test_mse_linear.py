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

import re
import runpy
import subprocess
import sys
from pathlib import Path
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


# The same gradients, as the machine derives and writes them ---------------------------------------------------------------


def compiled_step() -> tuple:
    """A step that leaves the gradients behind, run as a program on the inputs above; and its tensors."""
    x, y = minigrad.tensor(X), minigrad.tensor(Y)
    w, b = minigrad.tensor(W, requires_grad=True), minigrad.tensor(B, requires_grad=True)

    def step(x, y):
        w.grad = b.grad = None
        z = w @ x + b
        loss = minigrad.nn.functional.mse_loss(z, y)
        loss.backward()
        return loss

    step = minigrad.compile(step, fullgraph=True)
    for arguments in ((x * 2, y), (x * 2, y), (x + 1, y + 1), (x, y)):
        loss = step(*arguments)
    return step, loss, w, b


def test_the_program_is_the_derivation():
    """dz = 2/3 (z - y), dw = dz xᵀ, db = dz: that is -2 (y - b - w x) xᵀ / 3, line by line."""
    step, *_ = compiled_step()
    calls = [line.strip() for line in step.source.partition("def step(x, y):")[2].splitlines() if line and "#" not in line]
    assert calls[:3] == ["np.dot(w, x, mm)", "np.add(mm, b, z)", "np.subtract(z, y, difference)"]
    assert calls[-6:] == [
        "np.multiply(_0_666667, difference, d_z)",
        "x_T = x.T",
        "d_w = np.dot(d_z, x_T)",
        "d_b = np.empty((3, 1), np.float32)",
        "d_b[...] = d_z",
        "return loss, d_w, d_b",
    ]
    comments = re.findall("# (derivative of \\w+) +test_mse_linear.py:[0-9]+  (.*)", step.source)
    assert comments == [
        ("derivative of mse_loss", "loss = minigrad.nn.functional.mse_loss(z, y)"), ("derivative of mm", "z = w @ x + b")
    ]  # fmt: skip


def test_the_program_gives_the_same_bits():
    step, loss, w, b = compiled_step()
    expected, w_leaf, b_leaf = loss_and_leaves(minigrad)
    mean = minigrad.nn.functional.mse_loss(w_leaf @ minigrad.tensor(X) + b_leaf, minigrad.tensor(Y))
    mean.backward()
    assert step.reason is None
    assert loss.item() == mean.item() == pytest.approx(expected.item(), rel=1e-6)
    assert np.array_equal(w.grad.numpy(), w_leaf.grad.numpy())
    assert np.array_equal(b.grad.numpy(), b_leaf.grad.numpy())


def test_the_exported_program_needs_numpy_alone(tmp_path: Path):
    """It runs where there is no minigrad, prints the loss and the gradients, and gives the same bits."""
    step, loss, w, b = compiled_step()
    step.export(tmp_path / "step.py")
    alone = "import sys; sys.modules['minigrad'] = None; import runpy; runpy.run_path('step.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-I", "-c", alone], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("6.084")
    module = runpy.run_path(str(tmp_path / "step.py"))
    results = module["step"](X, Y)
    for result, expected in zip(results, (loss.array, w.grad.array, b.grad.array), strict=True):
        assert np.array_equal(result, expected)
    with pytest.raises(ValueError, match=r"must end in \.py"):
        step.export(tmp_path / "step.txt")
