"""Rung 18: a checkpoint: epoch, loss, and what model and optimiser know, saved, loaded, and trained on from.

A run that stops and goes on from its checkpoint comes to the same numbers as one that never stopped; the state of the
random numbers is part of it, for they shuffle the data.
"""

import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from digits import load
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

x_train, y_train, _, _ = map(torch.tensor, load())
train_dl = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)


def get_model():
    model = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    return model, optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def train(model, opt):
    for xb, yb in train_dl:
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()
    return loss.item()


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "checkpoint.pt"
    torch.manual_seed(1)
    model, opt = get_model()
    for epoch in range(2):
        loss = train(model, opt)
        if epoch == 0:
            checkpoint = {"epoch": epoch, "loss": loss, "model_state_dict": model.state_dict(),
                          "optimizer_state_dict": opt.state_dict(), "rng_state": torch.get_rng_state()}  # fmt: skip
            torch.save(checkpoint, path)

    torch.manual_seed(2)  # another program, another day
    resumed, opt = get_model()
    checkpoint = torch.load(path, weights_only=True)
    resumed.load_state_dict(checkpoint["model_state_dict"])
    opt.load_state_dict(checkpoint["optimizer_state_dict"])
    torch.set_rng_state(checkpoint["rng_state"])
    print(list(checkpoint), "epoch", checkpoint["epoch"], f"loss {checkpoint['loss']:.2f}")
    print({name: (tuple(t.shape), t.dtype) for name, t in checkpoint["model_state_dict"].items()})
    again = train(resumed, opt)

print(f"loss without a stop {loss:.2f}, the same after it: {again == loss}")
same = zip(model.state_dict().values(), resumed.state_dict().values(), strict=True)
print("the same weights:", [torch.equal(a, b) for a, b in same])
