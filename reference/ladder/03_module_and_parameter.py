"""Rung 3: the model becomes an `nn.Module`, its weights and bias `nn.Parameter`s.

The module knows its parameters, so the loop goes over `model.parameters()` and no longer names each of them, and
`model.zero_grad()` takes care of all gradients.
"""

import math

import torch
import torch.nn.functional as F
from digits import load
from torch import nn

torch.manual_seed(1)
x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
n = len(x_train)


class Logistic(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = nn.Parameter(torch.randn(784, 10) / math.sqrt(784))
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, xb):
        return xb @ self.weights + self.bias


def accuracy(out, yb):
    return (torch.argmax(out, dim=1) == yb).float().mean()


model = Logistic()
loss_func = F.cross_entropy
print(model, [(name, p.shape, p.requires_grad) for name, p in model.named_parameters()])


def fit(epochs=2, bs=64, lr=0.5):
    for _ in range(epochs):
        for i in range((n - 1) // bs + 1):
            xb, yb = x_train[i * bs : i * bs + bs], y_train[i * bs : i * bs + bs]
            loss = loss_func(model(xb), yb)
            loss.backward()
            with torch.no_grad():
                for p in model.parameters():
                    p -= p.grad * lr
                model.zero_grad()


xb, yb = x_train[:64], y_train[:64]
print("before:", loss_func(model(xb), yb))
fit()
print("after: ", loss_func(model(xb), yb))
print(f"validation accuracy {accuracy(model(x_valid), y_valid).item():.4f}")
