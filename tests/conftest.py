"""Which file tests what, and the fixtures that several of them ask for by name.

    An operation            operations (the table: start there), test_operations, test_one_operation (one of them by hand),
                            test_database (torch's own table)
      its corners           test_extremes (nan, infinities, kinks)  test_mixed_dtypes  test_exact_sums  test_keywords  test_out
      its family            test_indexing  test_window  test_normalization  test_losses  test_einsum  test_attention
                            test_recurrent  test_packed  test_transformer
    The machine             test_autograd  test_machine  test_views_and_inplace  test_memory  test_memory_order  test_random_graphs
                            test_mse_linear
      on top of it          test_gradcheck  test_functional (autograd.functional, torch.func)  test_graph  test_anomaly
                            test_checkpoint  test_functions
    Tensors                 test_creation  test_legacy  test_printing  test_numpy_interop  test_draw  test_threads  test_storage
    Random numbers          test_random_streams (the bits)  test_same_seed (what stands on them)  test_init  test_distributions
    Compiled steps          test_compile  test_compile_guards (what is asked first)  test_compile_operations (the table)
    Modules                 test_nn  test_modules (hooks, state)  test_lazy_layers  test_clip  test_parallel
    Several processes       ranks (what each of them does), test_distributed
    Modules, optimisers     test_databases (every example of torch's own)
    Optimisers              test_optim (SGD)  test_optimizers (the others)  test_schedulers  test_averages
    Data                    test_data  test_workers  test_datasets  test_transforms  test_vision  test_augmentation
                            test_models (torchvision's)
    Files                   test_serialization  test_replacing  test_unpickler  test_safetensors
                            test_safe_globals (NumPy's arrays)  test_whole_modules
    Processes, switches     test_switches  test_tensorboard
    Attacks                 test_attack_kills  test_attack_mutations  test_attack_servers  test_attack_threads
    Programs                test_training  test_cli  test_run  test_ladder
    What users meet         test_errors  test_readme  test_wheel  test_suite  test_names (what is not here, and why)
                            test_lazy (what is loaded on first use)

A scenario that runs on both libraries is written with `twins.py`; the vocabulary of the table is in `cases.py`.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # the shell does that to what it starts with &, and so does nohup
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """torch on one thread: several wait for each other at every moment, which takes long where others compute too."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Only reference counts free anything."""
    gc.disable()
    yield
    gc.enable()


ASK_FOR_A_GPU = (
    "test_what_cuda_answers", "test_what_needs_a_gpu_says_that_there_is_none[torch", "test_what_other_gpus_answer[cuda]",
    "test_types_of_tensors_on_a_gpu", "test_a_module_without_parameters_can_be_anywhere", "test_packed.py::test_refusals",
    "test_bad_input[generator of a GPU]", "test_what_a_tensor_says_of_itself",
    "test_what_scripts_ask_and_set_before_they_choose_a_device", "test_devices[with another]",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what compares errors where torch was built for GPUs: it finds other words for one that is not there."""
    asking = [item for item in items if any(name in item.nodeid for name in ASK_FOR_A_GPU)]
    if asking and find_spec("torch") is not None and import_module("torch").version.cuda is not None:
        for item in asking:
            item.add_marker(pytest.mark.skip(reason="this torch is built for CUDA, and says something else of GPUs"))


WITHOUT_TORCH = {
    "test_attack_kills.py", "test_attack_mutations.py", "test_attack_servers.py", "test_attack_threads.py", "test_datasets.py",
    "test_memory.py", "test_replacing.py", "test_run.py", "test_unpickler.py", "test_workers.py",
}  # fmt: skip


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Where torch is not installed, leave out what compares minigrad with it."""
    if find_spec("torch") is None and collection_path.suffix == ".py" and collection_path.name not in WITHOUT_TORCH:
        return True
    return None
