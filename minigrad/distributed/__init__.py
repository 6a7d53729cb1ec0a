"""Several processes that work together, over MPI: `torch.distributed`.

    pip install 'minigrad-twin[mpi]'
    python -m minigrad torchrun --nproc-per-node 4 train.py     # or: mpiexec -n 4 python -m minigrad run train.py

Reading order: `groups` (who takes part), `collectives` and `objects` (the calls), `work` (a call under way), `faults` and
`watcher` (what ends a job whose ranks no longer agree), `environment`, `mpi` and `launch` (how it all starts).
`nn.parallel.DistributedDataParallel` trains with it.

MPI does the work. `mpi4py` lends it the arrays' memory, and any MPI that it finds at run time will do: MPICH from pip on one
computer, a cluster's own on many.

What data-parallel training costs
---------------------------------
Each of p ranks computes on its own samples, which takes T seconds a step. Then n bytes of gradients have to become a mean. To
do that in a ring, each rank sends 2(p - 1) messages of n/p bytes. With a latency a and a bandwidth B of the link this takes

    t(n) = 2(p - 1) a + 2(p - 1)/p n/B

or 2 log2(p) a in place of the first term, with messages that halve and double. Three things follow.

- *Bandwidth*: however many ranks there are, the gradients cross each link about twice. 2n/B has to be small beside T.
- *Buckets*: k buckets cost k times the latency, so they should not be small. But nothing is on its way before the first one is
  full, so they should not be large. For 100 million parameters on 64 ranks and 10 Gbit/s, the model gives 97 % efficiency for
  0.25 to 4 MB, 96 % for 25 MB, and 79 % for all in one piece.
- *Overlap*: gradients of the last layers are complete first, and travel while earlier layers are still computed. The step takes
  T and what is left of t(n) at its end: at best max(T, forward + t(n)), and not T + t(n).

What the model says of weak scaling (the samples of each rank stay the same): from how many ranks on the efficiency, T over the
time of a step, is below 80 %, up to 1,024 ranks. Assumed are latencies of 30 and 10 µs, 94 % of the line's rate, sums of
6 GB/s, perfect overlap and no rank that is late:

    model, samples a rank                   T          gradients    10 Gbit/s     100 Gbit/s
    the tutorial's CNN, 64                  1.4 ms      16 KB       64            never
    784-512-512-10, 64                      1.5 ms      2.7 MB      2             2
    784-512-512-10, 512                     8.8 ms      2.7 MB      2             never
    100 million parameters                  0.5 s       400 MB      4             never
    100 million parameters                  3.1 s       400 MB      never         never

Read these as upper bounds. The model was checked on a link of 1 Gbit/s between two network namespaces of one computer, with a
784-2048-2048-10 network and 1,024 samples a rank, for which it says 359 ms without overlap and 277 with it. A first version of
this code took 526 to 683 ms and 336 to 538 ms: the model was 1.2 to 1.9 times too optimistic. Later runs on a busy computer took
875 to 1,325 ms in one piece, and 654 to 1,054 ms in buckets of 4 MB (medians of three runs each), which shows no more than that
buckets work there. In all of them a rank sent the bytes of its gradients, 23 to 24 MB a step, over the link. That count matters:
MPICH finds shared memory even between namespaces, and without ``UCX_TLS=tcp,self`` a first table was wrong by a factor of five.
"""

# Names in paragraphs, not one a line:
# isort: off
# fmt: off
from minigrad.distributed.collectives import (
    RedOpType, ReduceOp, all_gather, all_gather_into_tensor, all_reduce, all_to_all, all_to_all_single, barrier, broadcast, gather,
    irecv, isend, recv, reduce, reduce_scatter, reduce_scatter_tensor, scatter, send,
)
from minigrad.distributed.environment import set_torch_variables
from minigrad.distributed.faults import DistBackendError, DistError
from minigrad.distributed.groups import (
    GroupMember, ProcessGroup, default_pg_timeout, destroy_process_group, get_backend, get_node_local_rank,
    get_process_group_ranks, get_rank, get_world_size, group, init_process_group, is_available, is_gloo_available, is_initialized,
    is_mpi_available, is_nccl_available, is_torchelastic_launched, member, new_group,
)
from minigrad.distributed.objects import all_gather_object, broadcast_object_list, gather_object, scatter_object_list
from minigrad.distributed.work import Work

set_torch_variables()
