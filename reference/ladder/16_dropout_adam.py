"""Rung 16: Dropout, LogSoftmax with `nn.NLLLoss`, Adam, and torchvision's transforms from image to tensor.

`ToTensor` makes numbers in [0, 1] of bytes, `Normalize` brings them to [-1, 1], `Compose` does both. A torch without
torchvision takes the three from `transforms.py` beside this file.
"""

import torch
from digits import load_images
from torch import nn, optim
from torch.utils.data import DataLoader, Subset

try:
    from torchvision.transforms import Compose, Normalize, ToTensor
except ImportError:
    from transforms import Compose, Normalize, ToTensor

torch.manual_seed(1)
transform = Compose([ToTensor(), Normalize((0.5,), (0.5,))])
x_train, y_train, x_test, y_test = load_images()
train_set = [(transform(image), label) for image, label in zip(x_train, y_train.tolist(), strict=True)]
test_set = [(transform(image), label) for image, label in zip(x_test, y_test.tolist(), strict=True)]
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
test_loader = DataLoader(Subset(test_set, range(1000)), batch_size=64)
image, label = train_set[0]
print(image.shape, image.dtype, image.min(), image.max(), label, f"{image.mean().item():.4f}")

model = nn.Sequential(
    nn.Flatten(),
    nn.Linear(784, 128),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(128, 10),
    nn.LogSoftmax(dim=1),
)
print(model)
criterion = nn.NLLLoss()
optimizer = optim.Adam(model.parameters(), lr=0.001)

for epoch in range(2):
    model.train()
    running_loss = 0.0
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()

    model.eval()  # nothing is dropped any more
    right = 0
    with torch.no_grad():
        for images, labels in test_loader:
            _, predicted = torch.max(model(images), 1)
            right += (predicted == labels).sum().item()
    print(epoch, f"training loss {running_loss / len(train_loader):.2f}, {right / 10:.0f} % of 1,000 right")
