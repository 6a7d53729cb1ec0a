"""Rung 5: an optimiser, `optim.SGD`, goes the steps: `opt.step()`, then `opt.zero_grad()`."""

import torch
import torch.nn.functional as F
from digits import load
from torch import nn, optim

torch.manual_seed(1)
x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
n = len(x_train)


class Logistic(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(784, 10)

    def forward(self, xb):
        return self.lin(xb)


def accuracy(out, yb):
    return (torch.argmax(out, dim=1) == yb).float().mean()


def get_model(lr=0.5):
    model = Logistic()
    return model, optim.SGD(model.parameters(), lr=lr)


model, opt = get_model()
loss_func = F.cross_entropy
print(opt)

bs, epochs = 64, 2
xb, yb = x_train[:bs], y_train[:bs]
print("before:", loss_func(model(xb), yb))
for _ in range(epochs):
    for i in range((n - 1) // bs + 1):
        xb, yb = x_train[i * bs : i * bs + bs], y_train[i * bs : i * bs + bs]
        loss = loss_func(model(xb), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()

print("after: ", loss_func(model(xb), yb), model.lin.weight.grad)
print(f"validation accuracy {accuracy(model(x_valid), y_valid).item():.4f}")
