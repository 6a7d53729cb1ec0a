"""The public names of torch's modules: each is in minigrad, or there is a reason why not.

The reasons are the groups that the README lists under "What is not here".
"""

from __future__ import annotations

import importlib
import re
import types
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

import minigrad

MODULES = [
    "", "Tensor", "nn", "nn.functional", "nn.init", "nn.utils", "nn.utils.rnn", "nn.parallel", "optim", "optim.lr_scheduler",
    "autograd", "autograd.functional", "autograd.graph", "utils.data", "utils.checkpoint", "linalg", "func", "distributions",
    "random", "testing", "amp", "multiprocessing",
]  # fmt: skip

# A reason, in the words of the README, and the names that it excuses, as regular expressions of the whole name.
REASONS = {
    "GPUs": r"""
        cudnn_\w+ miopen_\w+ mkldnn_\w+ fbgemm_\w+ \w*vulkan\w* \w*xla\w* (is_)?ipu (is_)?(maia|mtia) to_mkldnn Tensor\.xpu
        record_stream Stream \.Event get_device_module StreamObjType DeviceObjType AcceleratorError
        has_(lapack|mkl|openmp|spectral) profiler_\w+ SyncBatchNorm
        batch_norm_(elemt|stats|update_stats|\w*backward\w*|gather\w+) get_device_states set_device_states
        DefaultDeviceType (scaled|grouped|scaled_grouped)_mm (Scaling|Swizzle)Type tf32_notes is_distributed
        nn\.parallel\.(replicate|scatter|gather|parallel_apply|data_parallel) \w*stream_mismatch \w+_capture_stream""",
    "other number formats": r"""
        BFloat16\w+ u?int[1-7] float4\w+ bit bits\d\w*""",
    "autocast on the CPU": r"""
        autocast_\w+ clear_autocast_cache (get|set)_autocast_\w+ is_autocast_\w+_enabled custom_(bwd|fwd)
        is_autocast_available""",
    "sparse": r"""
        (resize_as_)?sparse_(?!$)\w+ \w+_sparse_ to_sparse\w* to_dense dense_dim (c?col|c?row|crow)_indices\w*
        indices(_copy)? values(_copy)? coalesce is_coalesced (ds|hs|hsp|sp)mm smm jagged to_padded_tensor SparseAdam
        nonzero_static sspaddmm saddmm""",
    "complex": r"""
        view_as_(complex|real)\w* complex c(double|float|half) chalf (resolve|is)_(conj|neg) conj conj_physical_? imag
        real isreal angle polar H mH adjoint ComplexType""",
    "quantised": r"""
        Q\w+Storage quint\w+ qint\w+ q_\w+ qscheme (de)?quantize\w* quantized_\w+ fused_\w+_quant fake_quantize_\w+
        empty_quantized choose_qparams_optimized fbgemm_\w*quantized?\w* int_repr per_(channel|tensor)\w*""",
    "`torch.jit`": r"""
        \w*Type Script\w+ \w*Script\w*Module\w* import_ir\w+ parse_\w+ Graph(ExecutorState)? Code \.Node Use \.Value Block
        CallStack Gradient CompilationUnit (Complete)?Argument(Spec)? FileCheck Future FunctionSchema fork wait
        (boolean_dispatch|assert_int_or_pair) BroadcastingList\d ExecutionPlan InferredType IODescriptor StaticModule
        TracingState ErrorReport JITException AliasDb Capsule ConcreteModuleTypeBuilder DeepCopyMemoTable
        (De)?[Ss]erialization\w+ PyTorchFile\w+ LockingLogger LoggerBase NoopLogger OperatorInfo merge_type\w+
        unify_type_list Sym\w+ sym_\w+ cond while_loop Tag AggregationType FatalError""",
    "`vmap`": r"""
        linearize functionalize stack_module_state replace_all_batch_norm_modules_ rearrange debug_unwrap""",
    "matrix decompositions": r"""
        cholesky_\w+ (|Tensor)\.cholesky (sym)?eig(h|vals|valsh)? svd(_lowrank)? lu(_\w+)? qr geqrf or[gm]qr
        householder_product lstsq pinverse pinv ldl_\w+ matrix_(exp|rank) lobpcg pca_lowrank
        (|Tensor)\.solve triangular_solve solve_\w+ inv_ex
        cond tensorinv tensorsolve chain_matmul nuclear_norm frobenius_norm""",
    "Fourier transforms": r"""
        i?stft""",
    "three dimensions": r"""
        \w*(Conv|Pool|conv|pool|ConvTranspose|conv_transpose)3d\w* channels_last_3d convert_conv3d\w+""",
    "rare layers": r"""
        (Fractional|fractional_)\w*[Pp]ool\w*d\w* \w*grid_?sample\w* GRID\w+ affine_grid\w*
        \w*embedding_bag EmbeddingBag embedding_renorm_ CTCLoss ctc_loss feature_dropout_?
        native_channel_shuffle CrossMapLRN2d [Ll]inear_?[Cc]ross_?[Ee]ntropy\w*
        AdaptiveLogSoftmaxWithLoss conv_tbc multi_head_attention_forward fuse_\w+ skip_init
        convert_conv2d\w+ NLLLoss2d Container Buffer(Dict)? \w+_with_indices (rnn_\w+|lstm|gru)(_cell)? convolution
        native_\w+ norm_except_dim constant_pad_nd""",
    "rare optimisers": r"""
        Adafactor Muon swap_in\w+""",
    "rare distributions": r"""
        (Cat|CorrCholesky|CumulativeDistribution|Independent|LowerCholesky|PositiveDefinite|Reshape|Softmax|Softplus|Stack|StickBreaking)Transform
        (\w*Binomial|\w*Cauchy|Chi2|ContinuousBernoulli|ExponentialFamily|FisherSnedecor)
        (InverseGamma|GeneralizedPareto|Kumaraswamy|LKJCholesky|LogisticNormal)
        (LowRankMultivariateNormal|Multinomial|Pareto|Relaxed\w+|StudentT)
        VonMises Weibull Wishart biject_to transform_to""",
    "data pipes": r"""
        \w*DataPipe DataChunk \w*datapipe\w* (argument|runtime)_validation\w* non_deterministic""",
    "rare functions": r"""
        as_subclass binomial cauchy_ frexp geometric_
        hash_tensor histogramdd i0_? igammac?_? index_reduce_? ldexp_? log_normal_ logaddexp2 map2_
        mvlgamma_? nextafter_? polygamma_ segment_reduce as_strided_scatter slice_inverse
        resize(_as)? empty_permuted from_(dlpack|file) to_dlpack module_load
        dim_order make_tensor assert_allclose set_flush_denormal GradientEdge get_gradient_edge increment_version
        allow_mutation_on_saved_tensors region_activation_memory_budget""",
    "torch's internal functions": r"""
        (?!index)\w+_copy unsafe_(chunk|split\w*) (?!Typed|Untyped)\w*Storage(Base)? storage_type is_storage AVG SUM USE_\w+
        PRIVATE_OPS DisableTorch\w+ Dispatch\w+ ExcludeDispatchKeyGuard Benchmark\w+ ThroughputBenchmark
        \w*torch_function\w* \w+_notes classproperty compiled_with_cxx11_abi get_file_path init_num_threads
        prepare_multiprocessing\w+ thread_safe_generator \w*warn_always\w* \w*deterministic_debug_mode is_deterministic\w+
        set_anomaly_enabled legacy_contiguous_format \.is_inference reinforce volatile name output_nr grad_dtype index
        const_data_ptr is_set_to sum_to_size factory_kwargs DType Optional nn\.functional\.Tensor NestedIOFunction
        enforce_grad\w+ set_multithreading_enabled SAC_\w+ CheckpointPolicy SelectiveCheckpointContext
        \w+_selective_checkpoint_contexts set_checkpoint_\w+ check_backward_validity detach_variable GraphExecGroup
        common_notes""",
}


@cache
def public(path: str) -> tuple[list[str], list[str]]:
    """The public names of a module of torch's: those that minigrad's has, and those that it doesn't."""
    theirs, ours = (place(root, path) for root in (torch, minigrad))
    listed = set(getattr(theirs, "__all__", ())) if path else set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are deprecated
        names = [name for name in sorted(listed or dir(theirs))
                 if name[0] != "_" and not isinstance(getattr(theirs, name), types.ModuleType)]
        here = [name for name in names if hasattr(ours, name)]
        return here, [name for name in names if name not in here and not (path == "" and is_elsewhere(name))]


def present(path: str) -> list[str]:
    return public(path)[0]


def absent(path: str) -> list[str]:
    return public(path)[1]


def place(root: types.ModuleType, path: str) -> Any:
    return root.Tensor if path == "Tensor" else importlib.import_module(f"{root.__name__}.{path}".rstrip("."))


def is_elsewhere(name: str) -> bool:
    """A function that torch has twice, and minigrad in `nn.functional` only, or a class of `nn` that came in by an import."""
    return hasattr(minigrad.nn.functional, name.removesuffix("_")) or hasattr(minigrad.nn, name)


def patterns(reason: str) -> list[str]:
    return REASONS[reason].split()


def excused(path: str, name: str, pattern: str) -> bool:
    """Whether a pattern is for a name; one with a dot is for the name in one module."""
    return re.fullmatch(pattern, f"{path}.{name}" if r"\." in pattern else name) is not None


def by_pattern(names: Callable[[str], Iterable[str]], reason: str) -> dict[str, list[str]]:
    """The names of all modules that each pattern of a reason is for."""
    return {pattern: [f"{path}.{name}" for path in MODULES for name in names(path) if excused(path, name, pattern)]
            for pattern in patterns(reason)}


def test_every_name_that_is_absent_has_its_reason() -> None:
    known = {name for reason in REASONS for names in by_pattern(absent, reason).values() for name in names}
    assert {f"{path}.{name}" for path in MODULES for name in absent(path)} - known == set()


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_needed(reason: str) -> None:
    assert [pattern for pattern, names in by_pattern(absent, reason).items() if not names] == []


@pytest.mark.parametrize("reason", REASONS)
def test_no_reason_is_for_a_name_that_is_there(reason: str) -> None:
    """Or nobody would miss it if it went."""
    assert {pattern: names for pattern, names in by_pattern(present, reason).items() if names} == {}


@pytest.mark.parametrize("reason", REASONS)
def test_the_readme_gives_the_reason(reason: str) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    section = readme.partition("## What is not here")[2].partition("\n## ")[0]
    assert section
    assert reason.lower() in " ".join(section.lower().split())
