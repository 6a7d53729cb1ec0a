"""torchvision's networks.

The facts are those of torchvision 0.28 on torch 2.13. Where it is installed, `python tests/test_models.py` prints them anew.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import minigrad as mg
from minigrad.vision import models

# How each network is built, and its facts: see `facts`.
FACTS: dict[str, tuple[str, str, str, float, float, float]] = {
    "resnet18(num_classes=10)": (
        "86aa4043a3d3e762", "33fa3a8d27900868", "915fa9a150cf86f5",
        1.9395111046808209, 3.6343660140515546, 216785.19964020536),
    "resnet34(zero_init_residual=True)": (
        "0b10fc96edb662b0", "ca61ddaf45710196", "a60cf71e278ea118",
        3.0607544558529165, 125.23501917548722, 456738.9871327081),
    "resnet50(num_classes=10)": (
        "e5280091351bf1b7", "89f680af127045e0", "976c2b2733f71754",
        777.8061194328043, 9.976937830302298, 2308104.5486405157),
    "resnext50_32x4d(num_classes=3, replace_stride_with_dilation=[False, True, True])": (
        "45cb7419b9984dde", "a724e601536c846e", "597ba923c2d37083",
        0.0026683322432888576, 3.1159841839058746, 265076.39883996756),
    "resnet101(num_classes=2)": (
        "5f10368fd8516feb", "af7cf24b2cbc83e0", "bdfa3e47992772e5",
        37472466.07281839, 2.5957253749928686, 5914940.26191252),
    "resnet152()": (
        "35efe0f4174045de", "b230701e4e8dbf5d", "de32e2bfc835d938",
        6.016716260659445e+16, 758.0398649916322, 449291633.37166667),
    "wide_resnet50_2()": (
        "df9f2ff0dd425476", "495ebd7cf4ce8c0f", "8dfeb5afc91029e6",
        85169.49278776607, 778.6476040333329, 53691670.35207818),
    "squeezenet1_0(num_classes=10)": (
        "0b0b70cd46cad99c", "5d8eceb1b38906ed", "ee083cdfbbb2e612",
        0.01841059581693638, 0.03653504877107314, 4693.36428157966),
    "squeezenet1_1()": (
        "2c6b0b882a6a1ae2", "309bfa75ce6442af", "db09563d9ff04db0",
        18.09857142664065, 23.769693207530523, 592469.609161387),
    "mobilenet_v2(width_mult=0.75)": (
        "05c97fbc648174f7", "3c2d6d2707d429fc", "66fc2fea7cee09c3",
        1.6357710636562044e-14, 61.22778379106851, 2035655.5150695182),
    "densenet121(drop_rate=0.2, memory_efficient=True)": (
        "458e0401eeb3ebf4", "1272ce22078a663a", "86b22cc67387a261",
        180.86233755931266, 126.77224513844641, 1825663.670941883),
    "densenet161()": (
        "f1bf961ad71096ef", "7441f5ad6172df19", "dc4f327189dbcb4c",
        120.96183347119828, 127.70710735866405, 4703150.436121242),
    "densenet169()": (
        "84c2d003930c5f59", "4487dfaccc8efc41", "648eb480a9e2f25f",
        162.779052808325, 126.90254729470934, 3108861.859603725),
    "densenet201()": (
        "a5aa28dea8816b2e", "7fdebd0da3f4d2ee", "4197f53101994ee8",
        212.15774314645225, 124.01400801946617, 3673520.5333926175),
    "densenet.DenseNet(16, (2, 3), 16, 2, num_classes=3)": (
        "897377d68dd0c9a9", "849054063865f76a", "e22092d124bfb5d1",
        0.2520809675423312, 0.048519856249158534, 340.2894025542113),
    "alexnet(num_classes=10)": (
        "ef28e6848eedb263", "b413c895f7a5bf82", "f07b30806b31cf62",
        0.836716606906192, 0.8459532082541357, 140.55805785362315),
    "vgg11(num_classes=10, init_weights=False)": (
        "66752f34c54929da", "9c990b5bd6f4aee0", "94a50880ae0efdf1",
        0.309953887285988, 0.2565778544644577, 1104.5803181495462),
    "vgg11_bn()": (
        "be2ee86fa1b83c1f", "2d1f3ac358171698", "4eb14158b9f1ca6c",
        4.984171562652261e-05, 0.01605500090136495, 19117.3372788695),
    "vgg13()": (
        "f90b0b314bea6eea", "431ecf6055c373e3", "b588f56f932ebfd4",
        1.71306693924437e-05, 3.211755840654478e-05, 2926.8395836377913),
    "vgg13_bn()": (
        "2a9d84097627c72f", "cc2855b2841dfbda", "2e3401b12b641644",
        1.7128956419719274e-05, 0.0058221313099224604, 28163.124794581676),
    "vgg16()": (
        "fca74f11118bf1f6", "ccfb3a404b0427dd", "20e6ad9b99c3ef38",
        3.966527378067753e-06, 1.795065901508261e-05, 3508.141495666865),
    "vgg16_bn()": (
        "392e8614a83fd654", "0be5c2ab562365a2", "cff1d788e2078b9c",
        3.966011765602228e-06, 0.01643246544111863, 86851.14972050062),
    "vgg19()": (
        "3afaf3cf6823982b", "86a37a5380dfc85b", "e122f71a9a31bde5",
        7.497047900053139e-06, 1.9316076083789198e-05, 3992.6734249967935),
    "vgg19_bn(dropout=0.25)": (
        "3ac1aee289d4120b", "771ab459eaaf02cc", "5ae8efb27b86ec5e",
        7.495848474342926e-06, 0.00620036968351005, 91068.84754054806),
}  # fmt: skip


def digest(*pieces: bytes) -> str:
    return hashlib.sha256(b"".join(pieces)).hexdigest()[:16]


def facts(m: Any, library: Any, call: str) -> tuple[str, str, str, float, float, float]:
    """Digests of the names and shapes, of the weights that seed 0 draws, and of repr(); three sums of float64 numbers.

    The sums are of the outputs in evaluation, and of the outputs and the gradients in training (with dropout).
    """

    class Linear(m.nn.Linear):  # type: ignore[misc, name-defined]
        """With 16 features where VGG and AlexNet have 4096, to be quick."""

        def __init__(self, *features: int) -> None:
            super().__init__(*(16 if n == 4096 else n for n in features))

    m.manual_seed(0)
    with patch.object(m.nn, "Linear", Linear):
        network = eval(call, vars(library))
    state = network.state_dict()
    names = digest(*(f"{name} {tuple(x.shape)}".encode() for name, x in state.items()))
    weights = digest(*(x.numpy().tobytes() for x in state.values()))
    network.double()
    x = m.rand(2, 3, 96, 96).double()
    with m.no_grad():
        outputs = network.eval()(x).square().sum().item()
    trained = network.train()(x)
    trained.sum().backward()
    gradients = sum(p.grad.abs().sum().item() for p in network.parameters())
    return names, weights, digest(repr(network).encode()), outputs, trained.detach().square().sum().item(), gradients


@pytest.mark.parametrize("call", FACTS)
def test_networks_are_torchvisions(call: str) -> None:
    found = facts(mg, models, call)
    assert found[:3] == FACTS[call][:3]
    assert found[3:] == pytest.approx(FACTS[call][3:], rel=1e-9)


@pytest.mark.parametrize("name", [name for name in models.__all__ if name.islower()])
def test_there_are_no_trained_weights(name: str) -> None:
    """torchvision's old parameter `pretrained` is known as well, with its warning, also in the first place."""
    build = getattr(models, name)
    for wanted in ({"weights": "DEFAULT"}, {"weights": "IMAGENET1K_V1", "progress": False}):
        with pytest.raises(NotImplementedError, match=f"{name}: there are no trained weights"):
            build(**wanted)
    with pytest.warns(UserWarning, match="'pretrained' is deprecated"), pytest.raises(NotImplementedError):
        build(pretrained=True)
    with pytest.warns(UserWarning, match="'pretrained' is deprecated"), pytest.raises(NotImplementedError):
        build(True)


@pytest.mark.parametrize("args", [((), {"pretrained": False}), ((False,), {}), ((None,), {}), ((), {"progress": True})], ids=str)
def test_no_weights_are_asked_for(args: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    positional, keywords = args
    if "pretrained" in keywords or False in positional:
        with pytest.warns(UserWarning, match="'pretrained' is deprecated"):
            network = models.squeezenet1_1(*positional, **keywords)
    else:
        network = models.squeezenet1_1(*positional, **keywords)
    assert sum(p.numel() for p in network.parameters()) == 1_235_496


if __name__ == "__main__":
    theirs = importlib.import_module("torchvision.models")
    for each in sys.argv[1:] or FACTS:
        print(f'    "{each}": {facts(importlib.import_module("torch"), theirs, each)},', flush=True)
