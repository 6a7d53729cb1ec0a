"""Rung 19: `nn.DataParallel` spreads each batch over the devices; on a single one it changes nothing."""

import torch
import torch.nn.functional as F
from digits import load
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
train_dl = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)


def get_model():
    return nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))


alone = get_model()
model = nn.DataParallel(get_model())
model.module.load_state_dict(alone.state_dict())
print(model)
print(list(model.state_dict()))
print("the same scores:", torch.equal(model(x_valid), alone(x_valid)))

opt = optim.SGD(model.parameters(), lr=0.1)
for epoch in range(2):
    for xb, yb in train_dl:
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()
    with torch.no_grad():
        print(epoch, f"validation loss {F.cross_entropy(model(x_valid), y_valid).item():.2f}")

# What was trained inside the wrapper is saved without it: the names have no "module." in front.
alone.load_state_dict(model.module.state_dict())
print("the same scores:", torch.equal(model(x_valid), alone(x_valid)))
