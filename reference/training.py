"""The training job of the tutorial "What is torch.nn really?", in its four parts.

This text stands twice, in ``minigrad/training.py`` and in ``reference/training.py``: once on minigrad, once on torch.
The two files differ in their import lines, and in the lines that place things on a device (only torch has one to
choose); a test holds them to that.

https://docs.pytorch.org/tutorials/beginner/nn_tutorial.html
"""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import Tensor, distributed, nn, optim
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset
from tqdm import tqdm

from minigrad.tools.plot import plot_training
from minigrad.vision import datasets
from reference.device import pick_device, place_on_device

PIXELS = 28 * 28
CLASSES = 10

Batches = Iterable[Sequence[Tensor]]  # pairs of images, (n, 784), and the digits they show, (n,)

# --- 1. Prepare the data ---------------------------------------------------------------------------------------------


def get_datasets(data: str, quiet: bool = False) -> tuple[TensorDataset, TensorDataset, TensorDataset]:
    """Handwritten digits to train on, to validate on and to test on.

    Parameters
    ----------
    data
        "digits" for the sample that comes with minigrad, "mnist" for all of MNIST (downloaded the first time).
    quiet
        No progress bar while it downloads.

    Returns
    -------
    Three datasets of pairs: pixels, float32 of shape (784,) between 0 and 1, and the digit they show, int64.

    Raises
    ------
    minigrad.vision.datasets.DataError
        If the data can be neither read nor downloaded.
    """
    parts = datasets.load_digits() if data == "digits" else datasets.load_mnist(progress=not quiet)
    train_ds, valid_ds, test_ds = (TensorDataset(*map(torch.tensor, part)) for part in parts)
    return train_ds, valid_ds, test_ds


def get_data(
    train_ds: TensorDataset, valid_ds: TensorDataset, bs: int, sampler: DistributedSampler[int] | None = None
) -> tuple[Batches, Batches]:
    """Loaders of batches: shuffled anew in each epoch to train on, twice as large and in order to validate on.

    With a sampler, the first has only this process's part of the samples.
    """
    train_dl = DataLoader(train_ds, batch_size=bs, shuffle=sampler is None, sampler=sampler)
    # Validation keeps nothing for a backward pass, so twice the batch fits into the same memory.
    return train_dl, DataLoader(valid_ds, batch_size=bs * 2)


# --- 2. Define the model ---------------------------------------------------------------------------------------------


def log_softmax(x: Tensor) -> Tensor:
    """Log of the softmax of each row, by hand: x - log(sum(exp(x))), shape (n, classes) to (n, classes).

    >>> log_softmax(torch.zeros(1, 2))
    tensor([[-0.6931, -0.6931]])
    """
    x = x - x.detach().amax(dim=-1, keepdim=True)  # changes nothing in the result, and exp(x) cannot overflow
    return x - x.exp().sum(dim=-1, keepdim=True).log()


def nll(log_probs: Tensor, target: Tensor) -> Tensor:
    """Negative log likelihood, by hand: minus the mean of what each row says about its own class.

    >>> nll(torch.tensor([[-0.25, -1.5], [-2.0, -0.75]]), torch.tensor([0, 1]))
    tensor(0.5000)
    """
    return -log_probs[range(len(target)), target].mean()


class ManualLogistic:
    """Logistic regression from two raw tensors, with nothing of `nn`."""

    def __init__(self) -> None:
        self.weights = torch.randn(PIXELS, CLASSES) / math.sqrt(PIXELS)  # Xavier: outputs as large as the inputs
        self.weights.requires_grad_()  # only now, so that the division is no part of the graph
        self.bias = torch.zeros(CLASSES, requires_grad=True)

    def __call__(self, xb: Tensor) -> Tensor:
        """Log probabilities, (n, 10), of images, (n, 784)."""
        return log_softmax(xb @ self.weights + self.bias)

    def parameters(self) -> list[Tensor]:
        """List the tensors to train."""
        return [self.weights, self.bias]

    def train(self, mode: bool = True) -> ManualLogistic:
        """Do as every `nn.Module` does; this model has nothing that behaves differently in training."""
        return self

    def eval(self) -> ManualLogistic:
        """Leave training mode; see `train`."""
        return self.train(False)


class Logistic(nn.Module):
    """Logistic regression: one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(PIXELS, CLASSES)

    def forward(self, xb: Tensor) -> Tensor:
        """Scores before the softmax, (n, 10), of images, (n, 784)."""
        return self.lin(xb)


def mlp() -> nn.Sequential:
    """Build a network with two hidden layers, 784-512-512-10."""
    return nn.Sequential(
        nn.Linear(PIXELS, 512),
        nn.ReLU(),
        nn.Linear(512, 512),
        nn.ReLU(),
        nn.Linear(512, CLASSES),
    )


class CNN(nn.Module):
    """Three convolutions, each of which halves the image, and the mean of what is left."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(16, 16, kernel_size=3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(16, CLASSES, kernel_size=3, stride=2, padding=1)

    def forward(self, xb: Tensor) -> Tensor:
        """Scores before the softmax, (n, 10), of images, (n, 784)."""
        xb = xb.view(-1, 1, 28, 28)
        xb = F.relu(self.conv1(xb))
        xb = F.relu(self.conv2(xb))
        xb = F.relu(self.conv3(xb))
        xb = F.avg_pool2d(xb, 4)  # of 4 × 4 pixels
        return xb.view(-1, CLASSES)


Model = nn.Module | ManualLogistic
LossFunc = Callable[[Tensor, Tensor], Tensor]

# The name of each model, how it is made, and the loss that fits what it gives.
MODELS: dict[str, tuple[Callable[[], Model], LossFunc]] = {
    "manual": (ManualLogistic, nll),
    "logistic": (Logistic, F.cross_entropy),
    "mlp": (mlp, F.cross_entropy),
    "cnn": (CNN, F.cross_entropy),
}


def get_model(name: str, lr: float, momentum: float = 0.0) -> tuple[Model, LossFunc, optim.SGD]:
    """A new model ("manual", "logistic", "mlp" or "cnn"), its loss, and the optimiser of its parameters."""
    make, loss_func = MODELS[name]
    model = make()
    return model, loss_func, optim.SGD(model.parameters(), lr=lr, momentum=momentum)


# --- 3. Describe the process -----------------------------------------------------------------------------------------


def accuracy(out: Tensor, yb: Tensor) -> Tensor:
    """Share of the rows of `out`, (n, classes), whose largest value stands at the class in `yb`, (n,).

    >>> accuracy(torch.tensor([[0.1, 0.9], [0.2, 0.8]]), torch.tensor([1, 0]))
    tensor(0.5000)
    """
    return (out.argmax(dim=1) == yb).float().mean()


def loss_batch(model: Model, loss_func: LossFunc, xb: Tensor, yb: Tensor, opt: optim.SGD) -> float:
    """Take one training step on one batch and return the loss before it."""
    loss = loss_func(model(xb), yb)
    loss.backward()
    opt.step()
    opt.zero_grad()
    return loss.item()


def evaluate(model: Model, loss_func: LossFunc, dl: Batches) -> tuple[float, float]:
    """Mean loss and accuracy over everything a loader gives."""
    model.eval()
    loss = right = count = 0.0
    with torch.no_grad():
        for xb, yb in dl:
            out = model(xb)
            loss += loss_func(out, yb).item() * len(xb)  # the last batch may be smaller: weigh by size
            right += accuracy(out, yb).item() * len(xb)
            count += len(xb)
    return loss / count, right / count


def fit(
    epochs: int,
    model: Model,
    loss_func: LossFunc,
    opt: optim.SGD,
    train_dl: Batches,
    valid_dl: Batches,
    quiet: bool = False,
    step: Callable[..., float] = loss_batch,
    sampler: DistributedSampler[int] | None = None,
) -> tuple[list[float], list[tuple[float, float]]]:
    """Train for some epochs and print the loss and the accuracy on the validation data after each.

    A progress bar runs on stderr meanwhile, unless `quiet`. `step` is `loss_batch`, or what `torch.compile` made of it. Where
    several processes train, with a sampler, the first one prints.

    Returns
    -------
    The loss of each step, and what was printed: the loss and the accuracy after each epoch.
    """
    losses, epoch_results = [], []
    for epoch in range(1, epochs + 1):
        model.train()
        if sampler is not None:
            sampler.set_epoch(epoch)
        for xb, yb in tqdm(train_dl, desc=f"epoch {epoch}/{epochs}", unit="batch", leave=False, disable=quiet):
            losses.append(step(model, loss_func, xb, yb, opt))
        loss, right = evaluate(model, loss_func, valid_dl)
        epoch_results.append((loss, right))
        if sampler is None or sampler.rank == 0:
            print(f"epoch {epoch}/{epochs}  validation loss {loss:.4f}  accuracy {right:.2%}", flush=True)
    return losses, epoch_results


def mistakes(model: Model, dl: Batches) -> list[Tensor]:
    """Images that the model takes for another digit, (n, 784), what they show, (n,), and what they were taken for, (n,)."""
    model.eval()
    found = []
    with torch.no_grad():
        for xb, yb in dl:
            guesses = model(xb).argmax(dim=1)
            wrong = guesses != yb
            found.append((xb[wrong], yb[wrong], guesses[wrong]))
    return [torch.cat(parts) for parts in zip(*found, strict=True)]


# --- 4. Run ----------------------------------------------------------------------------------------------------------


def run(options: Namespace) -> None:
    """Do what ``train`` on the command line asks for; `minigrad.tools.cli.train_options` names the options.

    With ``--distributed`` this is one process of several, which all have the same model and average their gradients.
    """
    device = pick_device(options.device)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    train_ds, valid_ds, test_ds = get_datasets(options.data, options.quiet)
    sampler: DistributedSampler[int] | None = None
    if options.distributed:
        distributed.init_process_group("gloo")
        sampler = DistributedSampler(train_ds, seed=options.seed)
    train_dl, valid_dl = get_data(train_ds, valid_ds, options.batch_size, sampler)
    test_dl: Batches = DataLoader(test_ds, batch_size=options.batch_size * 2)
    model, loss_func, opt = get_model(options.model, options.lr, options.momentum)
    train_dl, valid_dl, test_dl = place_on_device(device, model, train_dl, valid_dl, test_dl)
    if options.distributed:
        assert isinstance(model, nn.Module)  # the one by hand is refused on the command line
        model = DistributedDataParallel(model)

    step = torch.compile(loss_batch) if options.compile else loss_batch

    first = sampler is None or sampler.rank == 0
    start = perf_counter()
    losses, epochs = fit(options.epochs, model, loss_func, opt, train_dl, valid_dl, options.quiet or not first, step, sampler)
    seconds = perf_counter() - start
    _, right = evaluate(model, loss_func, test_dl)
    if first:
        print(f"test accuracy {right:.2%} after {seconds:.2f} seconds of training")
    if first and options.plot:
        plot_training(losses, epochs, mistakes(model, test_dl), options.plot)
    if options.distributed:
        distributed.destroy_process_group()
