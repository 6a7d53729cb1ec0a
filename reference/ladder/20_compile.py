"""Rung 20: `torch.compile` makes a program of a training step, which gives the same numbers sooner."""

import warnings

import torch
import torch.nn.functional as F
from digits import load
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore", "The .grad attribute")  # torch's compiler looks at the gradient of every tensor
x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
train_ds = TensorDataset(x_train, y_train)


def train(compiled):
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))

    def step(xb, yb):
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= p.grad * 0.2
            model.zero_grad()
        return loss.detach()

    if compiled:
        step = torch.compile(step, backend="eager")  # torch's default, "inductor", needs a C++ compiler
    for epoch in range(2):
        losses = [step(xb, yb) for xb, yb in DataLoader(train_ds, batch_size=64, shuffle=True)]
        with torch.no_grad():
            valid_loss = F.cross_entropy(model(x_valid), y_valid)
        print(epoch, f"first loss {losses[0]:.3f}, last loss {losses[-1]:.3f}, validation loss {valid_loss:.3f}")
    return model


eager, compiled = train(False), train(True)
print("the same weights:", torch.equal(eager[0].weight, compiled[0].weight))

# A compiled module is called like the module.
model = torch.compile(eager, backend="eager")
with torch.no_grad():
    for start in range(0, 300, 100):
        images = x_valid[start : start + 100]
        print("the same scores:", torch.equal(model(images), eager(images)))
