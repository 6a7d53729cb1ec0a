"""Rung 15: a network of two hidden layers, with `train_loop` and `test_loop`, as readers train it on Fashion-MNIST.

By default on the digits; `--data fashion` downloads the clothes. In float64, as the convolutions: see rung 10.
"""

import torch
from digits import load
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class NeuralNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.linear_relu_stack = nn.Sequential(
            nn.Linear(28 * 28, 512),
            nn.ReLU(),
            nn.Linear(512, 512),
            nn.ReLU(),
            nn.Linear(512, 10),
        )

    def forward(self, x):
        return self.linear_relu_stack(self.flatten(x))


def train_loop(dataloader, model, loss_fn, optimizer):
    size = len(dataloader.dataset)
    model.train()
    for batch, (X, y) in enumerate(dataloader):
        loss = loss_fn(model(X), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if batch % 50 == 0:
            print(f"loss: {loss.item():.3f}  [{batch * len(X):>5d}/{size:>5d}]")


def test_loop(dataloader, model, loss_fn):
    model.eval()
    test_loss, correct = 0.0, 0.0
    with torch.no_grad():
        for X, y in dataloader:
            pred = model(X)
            test_loss += loss_fn(pred, y).item() / len(dataloader)
            correct += (pred.argmax(1) == y).type(torch.float).sum().item()
    print(f"Test: {correct:.0f} of {len(dataloader.dataset)} right, average loss {test_loss:.2f}")


torch.manual_seed(1)
x_train, y_train, x_test, y_test = map(torch.tensor, load())
x_train, x_test = x_train.double().view(-1, 1, 28, 28), x_test.double().view(-1, 1, 28, 28)
train_dataloader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)
test_dataloader = DataLoader(TensorDataset(x_test, y_test), batch_size=64)
model = NeuralNetwork().double()
print(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
train_loop(train_dataloader, model, nn.CrossEntropyLoss(), optimizer)
test_loop(test_dataloader, model, nn.CrossEntropyLoss())
