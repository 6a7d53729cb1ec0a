"""The built wheel, installed away from the checkout, holds all that minigrad needs, its digits too."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LOAD = """
import sys
import minigrad
from minigrad.vision.datasets import load_digits
(x_train, y_train), (x_valid, y_valid), (x_test, y_test) = load_digits()
print(minigrad.__file__)
print(x_train.shape, x_valid.shape, x_test.shape, y_train[:10].tolist())
print(sorted({"torch", "reference", "matplotlib", "threadpoolctl"} & set(sys.modules)))
"""


def run(*command: str, **options: object) -> str:
    """What `command` prints; its errors become the test's."""
    # Nothing of the checkout may be found by accident: no PYTHONPATH but the one that is given.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= options.pop("env", {})  # type: ignore[arg-type]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


def test_installed_wheel_loads_its_digits_elsewhere(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-index", "--no-deps", "--quiet")
    run(*pip, "--target", str(site), str(wheel), cwd=tmp_path)
    (elsewhere := tmp_path / "elsewhere").mkdir()
    where, shapes, unwanted = run(
        sys.executable, "-W", "error", "-c", LOAD, cwd=elsewhere, env={"PYTHONPATH": str(site)}
    ).splitlines()
    assert Path(where) == site / "minigrad" / "__init__.py"
    assert shapes == "(10000, 784) (2000, 784) (2000, 784) [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]"
    assert unwanted == "[]"


def test_wheel_holds_every_module_and_notice_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        licences = [name for name in archive.namelist() if name.endswith("LICENSE")]
    sources = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "minigrad").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"minigrad/vision/digits.npz", "minigrad/vision/digits_NOTICE.txt"} < names
    assert names == sources
    assert len(licences) == 1
