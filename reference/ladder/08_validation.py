"""Rung 8: validation, by which overfitting is seen.

Training data are shuffled anew in each epoch; validation data are not, and come in batches twice as large, since without
gradients they take less memory. `model.train()` and `model.eval()` tell layers such as Dropout which of the two it is.
"""

import torch
import torch.nn.functional as F
from digits import load
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
bs, lr, epochs = 64, 0.5, 3
train_dl = DataLoader(TensorDataset(x_train, y_train), batch_size=bs, shuffle=True)
valid_dl = DataLoader(TensorDataset(x_valid, y_valid), batch_size=bs * 2)


class Logistic(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(784, 10)

    def forward(self, xb):
        return self.lin(xb)


def accuracy(out, yb):
    return (torch.argmax(out, dim=1) == yb).float().mean()


model = Logistic()
opt = optim.SGD(model.parameters(), lr=lr)
loss_func = F.cross_entropy

for epoch in range(epochs):
    model.train()
    for xb, yb in train_dl:
        loss = loss_func(model(xb), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()

    model.eval()
    with torch.no_grad():
        valid_loss = sum(loss_func(model(xb), yb) for xb, yb in valid_dl) / len(valid_dl)
        right = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in valid_dl)
    print(epoch, f"validation loss {valid_loss:.3f}, {right} of {len(y_valid)} right")
