"""Rung 1: a classifier of digits from raw tensors.

Weights and bias are two tensors that ask for gradients. The model, its loss and the accuracy are a line each; the loop
takes a batch, lets `backward()` find the gradients, goes a step against them, and sets them to zero for the next batch.
"""

import math

import torch
from digits import load

torch.manual_seed(1)
x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
n = len(x_train)
print(x_train.shape, x_train.dtype, y_train.min(), y_train.max(), y_train[:10])

weights = torch.randn(784, 10) / math.sqrt(784)  # Xavier's scale: outputs about as large as the inputs
weights.requires_grad_()  # only now, so that the division is no part of what is differentiated
bias = torch.zeros(10, requires_grad=True)


def log_softmax(x):
    return x - x.exp().sum(-1).log().unsqueeze(-1)


def model(xb):
    return log_softmax(xb @ weights + bias)


def nll(input, target):
    return -input[range(target.shape[0]), target].mean()


def accuracy(out, yb):
    return (torch.argmax(out, dim=1) == yb).float().mean()


bs, lr, epochs = 64, 0.5, 2
xb, yb = x_train[:bs], y_train[:bs]
preds = model(xb)
print(preds[0], preds.shape)
print("before:", nll(preds, yb), accuracy(preds, yb))

for _ in range(epochs):
    for i in range((n - 1) // bs + 1):
        xb, yb = x_train[i * bs : i * bs + bs], y_train[i * bs : i * bs + bs]
        loss = nll(model(xb), yb)
        loss.backward()
        with torch.no_grad():  # the step itself is not to be differentiated
            weights -= weights.grad * lr
            bias -= bias.grad * lr
            weights.grad.zero_()
            bias.grad.zero_()

print("after: ", nll(model(xb), yb), accuracy(model(xb), yb))
print(f"validation accuracy {accuracy(model(x_valid), y_valid).item():.4f}")
