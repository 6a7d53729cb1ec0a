"""One operation tested by hand, with nothing hidden: the way into the table of operations."""

import numpy as np
import torch

import minigrad


def test_mul_by_hand() -> None:
    a, b = np.array([[1.0, -2.0, 3.0]]), np.array([[0.5], [4.0]])

    # The same product on both sides. The shapes (1, 3) and (2, 1) broadcast to (2, 3).
    x, y = minigrad.tensor(a, requires_grad=True), minigrad.tensor(b, requires_grad=True)
    z = x * y
    their_x, their_y = torch.tensor(a, requires_grad=True), torch.tensor(b, requires_grad=True)
    their_z = their_x * their_y
    np.testing.assert_allclose(z.detach().numpy(), their_z.detach().numpy())
    assert z.grad_fn.name() == their_z.grad_fn.name() == "MulBackward0"

    # The gradient of the sum of squares, as torch finds it ...
    (z * z).sum().backward()
    (their_z * their_z).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), their_x.grad.numpy())
    np.testing.assert_allclose(y.grad.numpy(), their_y.grad.numpy())

    # ... and as its definition says: move one number a little, and see how far the result moves.
    step = 1e-6
    for i in range(3):
        moved = a.copy()
        moved[0, i] += step
        slope = (((moved * b) ** 2).sum() - ((a * b) ** 2).sum()) / step
        np.testing.assert_allclose(x.grad[0, i].item(), slope, rtol=1e-5)

    # A gradient of a gradient: d/dx (xy)² = 2xy², and d/dx 2xy² = 2y², summed over the column that x was broadcast along.
    z = x * y
    (first,) = minigrad.autograd.grad((z * z).sum(), x, create_graph=True)
    (second,) = minigrad.autograd.grad(first.sum(), x)
    np.testing.assert_allclose(second.numpy(), np.broadcast_to(2 * (b**2).sum(), (1, 3)))

    # A row of the table in `operations.py` does all this for every shape, layout and dtype that it lists:
    #
    #     Row("mul", case(real(1, 3), real(2, 1)), case(real(3, 4), 2))
