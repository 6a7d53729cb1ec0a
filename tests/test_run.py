"""`python -m minigrad run`: as `python script.py`, except for what `torch` means."""

from __future__ import annotations

import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PLAIN = [sys.executable, "-W", "error"]
RUN = [*PLAIN, "-m", "minigrad", "run"]


def start(command: list[str], folder: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder`, where minigrad is found as if it were installed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    options |= {"cwd": folder, "env": environment, "capture_output": True, "text": True}
    return subprocess.run(command, timeout=60, check=False, **options)


def run(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(text)
    return start([*RUN, "script.py", *arguments], folder)


def output(folder: Path, text: str) -> str:
    """What a script prints that must succeed without a word on stderr."""
    done = run(folder, text)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# ---- as python script.py --------------------------------------------------------------------------------------------

FACTS = """
import pickle, sys
import beside
class Kind: pass
print(sys.argv, sys.path[0], __name__, __file__, __package__, __spec__, __doc__, type(__loader__), type(__builtins__))
print(sys.modules["__main__"].Kind is Kind, type(pickle.loads(pickle.dumps(Kind()))), beside.__file__)
try:
    def f(x: undefined): pass
except NameError:  # it would be none if minigrad's own `from __future__ import annotations` held here too
    print("NameError")
"""
LEAVING = {
    "exit 3": "import sys; sys.exit(3)",
    "error": "def f(x):\n    return 1 / x\n\nf(0)\n",
    "error while handling": "try:\n    {}[0]\nexcept KeyError:\n    import no_such_module\n",
    "wrong syntax": "x = 1\ny = = 2\n",
    "attribute of what lacks it": "import beside\nbeside.no_such_name\n",
    "interrupt": "import atexit, os, signal\natexit.register(print, 'bye')\nos.kill(os.getpid(), signal.SIGINT)\n",
    "excepthook that fails": "import sys\ndef hook(*error):\n    {}[1]\nsys.excepthook = hook\n{}[0]\n",
    "excepthook that leaves": "import sys\nsys.excepthook = lambda *error: sys.exit(5)\n{}[0]\n",
    "depth": "def f(n):\n    return n and f(n - 1)\nf(990)\nprint('deep')\n",
    "too deep": "def f():\n    f()\ntry:\n    f()\nexcept RecursionError as error:\n    print(error)\n",
    "globals": "print({k: v for k, v in globals().items() if k not in ('__loader__', '__builtins__')})\n",
    "own excepthook": "import sys\nsys.excepthook = lambda *error: print(error[0], error[2].tb_lineno)\n{}[0]\n",
    "thread": "import threading, time\nthreading.Thread(target=lambda: (time.sleep(.1), print(__name__))).start()\n1 / 0\n",
}


def assert_alike(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "beside.py").write_text("")
    plain, ours = (start([*command, "script.py", *arguments], folder) for command in (PLAIN, RUN))
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    return plain


def test_a_script_finds_itself_as_usual(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(FACTS)
    done = assert_alike(tmp_path, "-m", "--", "-h", "--epochs=3", "a b", "")
    assert done.stdout.startswith("['script.py', '-m', '--', '-h', '--epochs=3', 'a b', '']")
    assert "NameError" in done.stdout


def test_a_script_in_another_folder_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "beside.py").write_text("")
    (tmp_path / "there" / "real.py").write_text("import beside, sys\nprint(sys.argv, __file__, sys.path[0])")
    (tmp_path / "script.py").symlink_to(tmp_path / "there" / "real.py")
    done = assert_alike(tmp_path)
    assert str(tmp_path / "there") in done.stdout


@pytest.mark.parametrize("script", LEAVING.values(), ids=LEAVING)
def test_a_script_leaves_as_usual(script: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    assert_alike(tmp_path)


def test_standard_input(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "input").write_text("import beside, sys\nprint(sys.argv, sys.path[0], __file__, __loader__)\n1 / 0\n")
    results = []
    for command in (PLAIN, RUN):
        with open(tmp_path / "input") as file:
            results.append(start([*command, "-", "a"], tmp_path, stdin=file))
    plain, ours = results
    assert plain.stdout.startswith("['-', 'a']")
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)


PROGRAM = "import beside, sys\nprint(sys.argv, sys.path[0], __name__, __package__, __file__, beside.name)\nsys.exit(4)\n"


@pytest.mark.parametrize("kind", ["folder", "archive.zip", "script.pyc"])
def test_what_python_runs_besides_scripts(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "beside.py").write_text("name = 'beside'")
    if kind == "archive.zip":
        shutil.make_archive(str(tmp_path / "archive"), "zip", folder)
    if kind == "script.pyc":
        py_compile.compile(str(folder / "__main__.py"), cfile=str(tmp_path / "script.pyc"))
        (tmp_path / "beside.py").write_text("name = 'beside'")
    plain, ours = (start([*command, kind, "a"], tmp_path) for command in (PLAIN, RUN))
    assert "beside" in plain.stdout
    assert (ours.returncode, ours.stdout, ours.stderr) == (4, plain.stdout, plain.stderr)


@pytest.mark.parametrize(
    "source",
    [b"x = 1\ny = '\xff'\n", b"# coding: latin-1\nprint('\xe4')\n", b"# coding: nothing\n", b"# coding: ascii\nx = '\xc3\xa4'\n",
     b"\xef\xbb\xbfprint(1)\n", b"print('\xc3\xa4')\r\nx = = 2\r\n"],
)  # fmt: skip
def test_sources_in_other_encodings(source: bytes, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_bytes(source)
    assert_alike(tmp_path)


def test_standard_output_that_is_closed(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("for _ in range(10**6): print('word')")
    endings = []
    for command in (PLAIN, RUN):
        with subprocess.Popen([*command, "script.py"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            endings.append((process.stderr.read(), process.wait(60)))
    assert "BrokenPipeError" in endings[0][0]
    assert endings[0] == endings[1]


def test_a_module(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "beside.py").write_text("name = 'beside'")
    text = "import sys\nfrom .beside import name\nprint(sys.argv, __name__, __package__, __spec__.name, name)\n"
    (tmp_path / "package" / "tool.py").write_text(text)
    plain, ours = (start([*c, "-m", "package.tool", "-m", "--", "-x"], tmp_path) for c in (PLAIN, RUN))
    assert (ours.returncode, ours.stdout, ours.stderr) == (0, plain.stdout, plain.stderr)
    (tmp_path / "package" / "tool.py").write_text("import torch\n\ntorch.fft\n")
    ours = start([*RUN, "-m", "package.tool"], tmp_path)
    assert ours.returncode == 1
    assert ours.stderr.startswith(f'Traceback (most recent call last):\n  File "{tmp_path}/package/tool.py", line 3')


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["-m"], "name a script"),
        (["nowhere.py"], "nowhere.py': No such file or directory"),
        (["."], "can't find '__main__' module in"),
        (["--fast", "script.py"], "--fast"),
    ],
)
def test_nothing_to_run(arguments: list[str], word: str, tmp_path: Path) -> None:
    done = start([*RUN, *arguments], tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert word in done.stderr


# ---- what torch means -----------------------------------------------------------------------------------------------


def test_einops_and_safetensors(tmp_path: Path) -> None:
    text = """
import torch, einops, safetensors.torch
from einops.layers.torch import Rearrange
x = torch.arange(6.0, requires_grad=True)
y = einops.reduce(x, "(a b) -> a", "mean", b=2)
y.sum().backward()
print(y.tolist(), x.grad.tolist(), Rearrange("(a b) -> b a", b=2)(x).tolist())
safetensors.torch.save_file({"x": x.detach()}, "x.safetensors")
print(safetensors.torch.load_file("x.safetensors"))
net = torch.nn.Linear(2, 2)
safetensors.torch.save_model(net, "net.safetensors")
print(safetensors.torch.load_model(net, "net.safetensors"))
"""
    lines = ["[0.5, 2.5, 4.5] [0.5, 0.5, 0.5, 0.5, 0.5, 0.5] [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]",
             "{'x': tensor([0., 1., 2., 3., 4., 5.])}", "(set(), [])"]  # fmt: skip
    assert output(tmp_path, text).splitlines() == lines


def test_versions(tmp_path: Path) -> None:
    text = """
import torch
v = torch.__version__
print(v, v >= (1, 0), v >= "2.0", v < "2.2", v < (2, 13), v >= "2.13", v > "2.13.0", torch.version.__version__ == v)
print(torch.version.cuda, torch.version.hip)
"""
    expected = "2.13.0+minigrad.0.1.0 True True False False True False True\nNone None\n"
    assert output(tmp_path, text) == expected


def test_dtypes_that_are_names_only(tmp_path: Path) -> None:
    text = """
import torch
print(torch.ones(1).dtype in [torch.bfloat16, torch.complex64], torch.bfloat16, torch.float8_e5m2.itemsize)
try:
    torch.ones(2, dtype=torch.bfloat16)
except NotImplementedError as error:
    print(error)
"""
    refusal = "torch.bfloat16 is not supported; use one of torch.float16, torch.float32"
    assert output(tmp_path, text).startswith(f"False torch.bfloat16 1\n{refusal}")


def test_the_modules_are_minigrads_own(tmp_path: Path) -> None:
    text = """
import importlib, importlib.util, sys
import torch, torch.nn.functional as F, torch.utils.data, torchvision.datasets
from torch import nn, optim
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision import datasets
import minigrad, minigrad.nn.functional, minigrad.vision
for name, module in list(sys.modules.items()):
    top, dot, rest = name.partition(".")
    if top in ("torch", "torchvision"):
        ours = {"torch": "minigrad", "torchvision": "minigrad.vision"}[top] + dot + rest
        assert module is sys.modules[ours], name
        assert module.__name__ == module.__spec__.name == ours, name
assert F is functional is minigrad.nn.functional and nn is minigrad.nn and optim is minigrad.optim
assert torch.utils.data.DataLoader is DataLoader
assert datasets is torchvision.datasets is minigrad.vision.datasets
assert len(datasets.load_digits()) == 3  # the digits are found, through the module's origin
assert importlib.reload(F) is F and importlib.import_module("torch.optim") is optim
assert importlib.util.find_spec("torch.nn.init").name == "torch.nn.init"
assert importlib.util.find_spec("torch.fft") is None
print(torch.tensor([1.5, 2]), torch.__name__)
"""
    assert output(tmp_path, text) == "tensor([1.5000, 2.0000]) minigrad\n"


def test_an_installed_torch_is_not_looked_for(tmp_path: Path) -> None:
    for name in ("torch", "torchvision"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the other one')")
    assert output(tmp_path, "import torch, torchvision\nprint(torch.ones(1))") == "tensor([1.])\n"


def test_a_file_of_minigrad_that_has_the_name_of_a_function(tmp_path: Path) -> None:
    text = """
import torch
before = torch.tensor
try:
    import torch.tensor
except ModuleNotFoundError as error:
    print(error, error.name)
assert torch.tensor is before
"""
    assert output(tmp_path, text) == "No module named 'torch.tensor' torch.tensor\n"


def test_a_function_that_has_the_name_of_its_module(tmp_path: Path) -> None:
    text = """
from torch.autograd.gradcheck import gradcheck, gradgradcheck
import torch.autograd.gradcheck
assert torch.autograd.gradcheck is gradcheck
print(torch.autograd.gradcheck(torch.sin, torch.ones(1, dtype=torch.float64, requires_grad=True)))
"""
    assert output(tmp_path, text) == "True\n"


def test_minigrad_as_torch_without_the_command(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import minigrad as torch\nimport minigrad.nn.functional as F\nfrom minigrad import nn, optim\n"
        "from minigrad.utils.data import DataLoader\nprint(F.relu(torch.tensor([-1., 2.])))\nimport sys\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = start([*PLAIN, "script.py"], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "tensor([0., 2.])\n", "")


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("torch.fft", "AttributeError: module 'minigrad' has no attribute 'fft'"),
        ("import torch.fft", "ModuleNotFoundError: No module named 'torch.fft'"),
        ("from torch import fft", "ImportError: cannot import name 'fft' from 'minigrad' ("),
        ("from torch.nn.functional import fft", "ImportError: cannot import name 'fft' from 'minigrad.nn.functional' ("),
        ("torch.ones(2).stft()", "AttributeError: 'Tensor' object has no attribute 'stft'"),
        ("torch.nn.Linear(2, 2).compile9", "AttributeError: 'Linear' object has no attribute 'compile9'"),
    ],
)
def test_what_minigrad_lacks_is_named_and_said_to_be_torchs(statement: str, says: str, tmp_path: Path) -> None:
    done = run(tmp_path, f"import torch\n\n{statement}\n")
    assert (done.returncode, done.stdout) == (1, "")
    first, place, shown, *_, error, note = done.stderr.replace("    ^", "    \n^").splitlines()
    assert (first, shown.strip()) == ("Traceback (most recent call last):", statement)
    assert place == f'  File "{tmp_path}/script.py", line 3, in <module>'
    assert error.startswith(says)
    assert note == "Here torch means minigrad (python -m minigrad run); if the name is torch's, minigrad does not have it."
    assert "run.py" not in done.stderr


@pytest.mark.parametrize("statement", ["Net().weigth", "import beside"])
def test_nothing_is_said_of_torch_where_it_has_no_part(statement: str, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("import torch_geometric9")
    done = run(tmp_path, f"import torch\nclass Net(torch.nn.Module): pass\n{statement}\n")
    assert done.returncode == 1
    assert "means minigrad" not in done.stderr


def test_a_missing_package_that_minigrad_needs_is_reported_as_such(tmp_path: Path) -> None:
    text = """
import sys
for name in [name for name in sys.modules if name.startswith("minigrad.vision")]:
    del sys.modules[name]
sys.modules["requests"] = None
import torchvision.datasets
"""
    done = run(tmp_path, text)
    assert "import of requests halted" in done.stderr
    assert "means minigrad" not in done.stderr


def test_the_number_of_threads_stands_before_the_script(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import sys, torch; print(torch.get_num_threads(), sys.argv[1:])")
    done = start([*RUN, "--threads", "2", "script.py", "--threads", "7"], tmp_path)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "2 ['--threads', '7']\n")
    done = start([*RUN, "--threads", "0", "script.py"], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--threads: expected a whole number from 1 to 1024, got '0'" in done.stderr


# ---- other processes ------------------------------------------------------------------------------------------------

WORKERS = """
import sys
import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

class Squares(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, i):
        return torch.tensor(i) ** 2, get_worker_info().id, "torch" in sys.modules and torch.__name__

def inside(number):
    global torch
    import torch.nn.functional as F
    assert F.__name__ == "minigrad.nn.functional"

if __name__ == "__main__":
    loader = DataLoader(Squares(), 4, num_workers=2, multiprocessing_context=sys.argv[1], worker_init_fn=inside)
    for batch in loader:
        print(batch)
"""
BATCHES = """\
[tensor([0, 1, 4, 9]), tensor([0, 0, 0, 0]), ('minigrad', 'minigrad', 'minigrad', 'minigrad')]
[tensor([16, 25, 36, 49]), tensor([1, 1, 1, 1]), ('minigrad', 'minigrad', 'minigrad', 'minigrad')]
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_know_what_torch_means(method: str, tmp_path: Path) -> None:
    done = run(tmp_path, WORKERS, method)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", BATCHES)


def test_workers_of_a_module_and_their_own_processes_know_it_too(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("""
import multiprocessing
import torch

def child(deeper):
    print(torch.__name__, __name__, flush=True)
    if deeper:
        start(False)

def start(deeper):
    process = multiprocessing.get_context("spawn").Process(target=child, args=(deeper,))
    process.start()
    process.join()

if __name__ == "__main__":
    start(True)
""")
    done = start([*RUN, "-m", "script"], tmp_path)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "minigrad __mp_main__\n" * 2)
