"""Rung 21: DistributedDataParallel: several processes, each with its share of every batch, train one model.

They are started by: torchrun --nproc-per-node 2 21_distributed.py. With CHECKPOINT=file, rank 0 saves every ten steps, and a
job that was killed goes on from there, to the same numbers.
"""

import os
import signal

import torch
import torch.distributed as dist
import torch.nn.functional as F
from digits import load
from torch import nn, optim
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

dist.init_process_group("gloo")
rank, size = dist.get_rank(), dist.get_world_size()
torch.manual_seed(rank)  # other first weights on each rank, until DistributedDataParallel copies those of rank 0

x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
train_ds = TensorDataset(x_train[:2560], y_train[:2560])
sampler = DistributedSampler(train_ds)  # its seed is the same everywhere, and so is the order it deals from
train_dl = DataLoader(train_ds, batch_size=64 // size, sampler=sampler)
model = DistributedDataParallel(nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10)))
opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

path, losses = os.environ.get("CHECKPOINT"), []
if path and os.path.exists(path):
    saved = torch.load(path, weights_only=True)
    losses = saved["losses"]
    model.load_state_dict(saved["model"])
    opt.load_state_dict(saved["opt"])
done = len(losses)

for epoch in range(2):
    sampler.set_epoch(epoch)
    for step, (xb, yb) in enumerate(train_dl, epoch * len(train_dl)):
        if step < done:
            continue
        if os.environ.get("KILL") == f"{rank}:{step}" and not done:  # an accident
            os.kill(os.getpid(), signal.SIGKILL)
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()
        dist.all_reduce(loss.detach_(), dist.ReduceOp.AVG)
        losses.append(loss.item())
        if path and rank == 0 and step % 10 == 9:
            torch.save({"losses": losses, "model": model.state_dict(), "opt": opt.state_dict()}, path + ".new")
            os.replace(path + ".new", path)
correct = (model(x_valid).argmax(1) == y_valid).float().mean()
text = f"rank {rank} of {size}: {len(sampler)} samples, losses {[round(x, 2) for x in losses[::9]]}, accuracy {correct:.2f}"
texts, bits = [None] * size, [None] * size
dist.all_gather_object(texts, text)
dist.all_gather_object(bits, [p.detach().numpy().tobytes() for p in model.parameters()])
if rank == 0:
    print(*texts, list(model.state_dict()), f"the same bits on all ranks: {bits == bits[:1] * size}", sep="\n")
dist.destroy_process_group()
