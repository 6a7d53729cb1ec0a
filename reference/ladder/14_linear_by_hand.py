"""Rung 14: the linear model z = w x + b under a mean squared error, its gradients by hand and by `backward()`.

With x of (5, 1), w of (3, 5), b and y of (3, 1), the loss is L = 1/3 Σᵢ (yᵢ - zᵢ)². Each zᵢ stands in one term only, so
∂L/∂zᵢ = -2 (yᵢ - zᵢ) / 3, and by the chain rule ∂L/∂w = -2 (y - b - w x) xᵀ / 3 and ∂L/∂b = -2 (y - b - w x) / 3.
"""

import torch
from torch import nn, optim

torch.manual_seed(1)
x, y = torch.randn(5, 1), torch.randn(3, 1)
w, b = torch.randn(3, 5, requires_grad=True), torch.randn(3, 1, requires_grad=True)

z = w @ x + b
loss = nn.MSELoss()(z, y)
print("loss:", loss, ((y - z) ** 2).sum() / 3)
loss.backward()

with torch.no_grad():
    residual = y - b - w @ x
    dw, db = -2 * residual @ x.T / 3, -2 * residual / 3
print("dL/dw by backward():", w.grad, "by hand:", dw, sep="\n")
print("dL/db by backward():", b.grad, "by hand:", db, sep="\n")
print("the same:", torch.allclose(w.grad, dw), torch.allclose(b.grad, db))

# The layer computes x wᵀ + b with x in rows: the same model, with all of it transposed.
layer = nn.Linear(5, 3)
layer.load_state_dict({"weight": w.detach(), "bias": b.detach().flatten()})
nn.functional.mse_loss(layer(x.T), y.T).backward()
print("the layer's:", torch.allclose(layer.weight.grad, dw), torch.allclose(layer.bias.grad, db.flatten()))

# Down the gradient, the equations are soon fulfilled.
opt = optim.SGD(layer.parameters(), lr=0.1)
for step in range(30):
    opt.zero_grad()
    loss = nn.functional.mse_loss(layer(x.T), y.T)
    loss.backward()
    opt.step()
    if step % 10 == 0:
        print(step, f"{loss.item():.3f}")
