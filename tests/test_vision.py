"""torchvision's names: transforms compared with Pillow and torch, pictures of batches, image files, datasets made for the test."""

from __future__ import annotations

import hashlib
import io
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import minigrad as mg
from minigrad.vision import io as files
from minigrad.vision import transforms as T
from minigrad.vision.datasets import CIFAR10, DataError, DatasetFolder, FakeData, ImageFolder
from minigrad.vision.transforms import InterpolationMode
from minigrad.vision.transforms import functional as TF
from minigrad.vision.utils import make_grid, save_image

RANDOM = np.random.default_rng(0)
GRAY, COLOURS = RANDOM.integers(0, 256, (13, 17), np.uint8), RANDOM.integers(0, 256, (13, 17, 3), np.uint8)
SIZES = [(5, 7), (26, 40), (13, 9), (1, 1), (13, 17)]
PILLOWS = ["nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"]

# ---- sizes -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", PILLOWS)
@pytest.mark.parametrize("image", [GRAY, COLOURS], ids=["gray", "colours"])
def test_arrays_are_resized_as_pillow_does(image: Any, mode: str, size: tuple[int, int]) -> None:
    expected = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling[mode.upper()]))
    np.testing.assert_array_equal(TF.resize(image, size, InterpolationMode(mode)), expected)
    np.testing.assert_array_equal(np.asarray(TF.resize(Image.fromarray(image), size, InterpolationMode(mode))), expected)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "hamming", "lanczos"])
def test_rows_and_columns_are_resized_in_pillows_order(mode: str) -> None:
    random = np.random.default_rng(1)
    for _ in range(50):
        before, after = random.integers(3, 120, 2), tuple(int(n) for n in random.integers(3, 120, 2))
        pixels = random.integers(0, 256, before, np.uint8)
        expected = np.asarray(Image.fromarray(pixels).resize(after[::-1], Image.Resampling[mode.upper()]))
        np.testing.assert_array_equal(TF.resize(pixels, after, InterpolationMode(mode)), expected)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear"])
@pytest.mark.parametrize("kind", ["1", "P", "RGBA", "LA", "I;16", "F"])
def test_pillows_images_are_resized_by_pillow(kind: str, mode: str) -> None:
    image = Image.fromarray(np.dstack([COLOURS, GRAY])).convert("L" if kind == "I;16" else kind)
    image = image.convert("I").convert("I;16") if kind == "I;16" else image
    result = TF.resize(image, (8, 30), InterpolationMode(mode))
    expected = image.resize((30, 8), Image.Resampling[mode.removesuffix("-exact").upper()])
    assert (result.mode, result.tobytes(), result.getpalette()) == (kind, expected.tobytes(), expected.getpalette())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_tensors_are_resized_as_torch_does(mode: str, antialias: bool, size: tuple[int, int]) -> None:
    image = RANDOM.random((2, 3, 13, 17))
    expected = torch.nn.functional.interpolate(torch.tensor(image), size, mode=mode, antialias=antialias)
    result = TF.resize(mg.tensor(image), size, InterpolationMode(mode), antialias=antialias)
    np.testing.assert_allclose(result.numpy(), expected.numpy(), 1e-12, 1e-12)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_the_nearest_pixel_of_tensors_is_torchs(mode: str) -> None:
    image = RANDOM.random((3, 13, 17))
    for size in SIZES:
        expected = torch.nn.functional.interpolate(torch.tensor(image)[None], size, mode=mode)[0]
        np.testing.assert_array_equal(TF.resize(mg.tensor(image), size, InterpolationMode(mode)).numpy(), expected.numpy())


@pytest.mark.parametrize(("size", "max_size", "expected"), [
    (5, None, (5, 6)), (26, None, (26, 34)), (26, 30, (22, 30)), ([4], None, (4, 5)), ((4, 4), None, (4, 4)), (13, None, (13, 17)),
])  # fmt: skip
def test_one_number_is_for_the_shorter_edge(size: Any, max_size: int | None, expected: tuple[int, int]) -> None:
    assert T.Resize(size, max_size=max_size)(GRAY).shape == expected
    assert T.Resize(size, max_size=max_size)(GRAY.T).shape == (expected[::-1] if size != (4, 4) else (4, 4))


def test_bytes_of_tensors_are_rounded() -> None:
    exact = torch.nn.functional.interpolate(torch.tensor(GRAY)[None, None].float(), (5, 7), mode="bilinear", antialias=True)[0]
    result = TF.resize(mg.tensor(GRAY)[None], (5, 7))
    assert result.dtype == mg.uint8
    np.testing.assert_allclose(result.numpy(), exact.numpy(), atol=0.501)


# ---- places ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["array", "tensor", "pillow"])
def test_each_kind_of_image_is_cut_and_padded_alike(kind: str) -> None:
    def made(image: Any) -> Any:
        tensor = mg.tensor(np.atleast_3d(image).transpose(2, 0, 1))
        return {"array": image, "tensor": tensor, "pillow": Image.fromarray(image)}[kind]

    def shown(image: Any) -> Any:
        return np.squeeze(image.numpy().transpose(1, 2, 0)) if kind == "tensor" else np.asarray(image)

    for image in (GRAY, COLOURS):
        x = made(image)
        np.testing.assert_array_equal(shown(TF.hflip(x)), image[:, ::-1])
        np.testing.assert_array_equal(shown(TF.vflip(x)), image[::-1])
        np.testing.assert_array_equal(shown(TF.crop(x, 2, 3, 5, 6)), image[2:7, 3:9])
        np.testing.assert_array_equal(shown(TF.center_crop(x, 5)), image[4:9, 6:11])
        around = [(1, 1), (2, 2)] + [(0, 0)] * (image.ndim - 2)
        np.testing.assert_array_equal(shown(TF.pad(x, (2, 1))), np.pad(image, around))
        for mode in ("edge", "reflect", "symmetric"):
            np.testing.assert_array_equal(shown(TF.pad(x, (2, 1), padding_mode=mode)), np.pad(image, around, mode))
        around = [(2, 4), (1, 3)] + [(0, 0)] * (image.ndim - 2)
        np.testing.assert_array_equal(shown(TF.pad(x, [1, 2, 3, 4], fill=9)), np.pad(image, around, constant_values=9))
        outside = np.zeros((6, 6, *image.shape[2:]), np.uint8)
        outside[1:, 2:] = image[:5, :4]
        np.testing.assert_array_equal(shown(TF.crop(x, -1, -2, 6, 6)), outside)
        assert shown(TF.center_crop(x, (20, 5))).shape[:2] == (20, 5)
    filled = shown(TF.pad(made(COLOURS), 1, fill=(1, 2, 3)))
    assert filled[0, 0].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(filled[1:-1, 1:-1], COLOURS)


def test_where_a_random_part_lies_is_what_torchs_numbers_say() -> None:
    mg.manual_seed(3)
    torch.manual_seed(3)
    for _ in range(5):
        top, left = (torch.randint(0, n, size=(1,)).item() for n in (13 - 5 + 1, 17 - 6 + 1))
        np.testing.assert_array_equal(T.RandomCrop((5, 6))(GRAY), GRAY[top : top + 5, left : left + 6])
        flipped = torch.rand(1) < 0.5
        np.testing.assert_array_equal(T.RandomHorizontalFlip()(GRAY), GRAY[:, ::-1] if flipped else GRAY)
        flipped = torch.rand(1) < 0.25
        np.testing.assert_array_equal(T.RandomVerticalFlip(0.25)(GRAY), GRAY[::-1] if flipped else GRAY)
        applied = not torch.rand(1) > 0.5
        np.testing.assert_array_equal(T.RandomApply([T.CenterCrop(3)])(GRAY), GRAY[5:8, 7:10] if applied else GRAY)


def test_a_random_part_of_a_random_size() -> None:
    mg.manual_seed(0)
    torch.manual_seed(0)
    top, left, height, width = T.RandomResizedCrop.get_params(COLOURS, (0.08, 1.0), (3 / 4, 4 / 3))
    while True:  # the words are torch's, drawn as torchvision draws them
        area = 13 * 17 * torch.empty(1).uniform_(0.08, 1.0).item()
        low, high = torch.log(torch.tensor([3 / 4, 4 / 3]))
        aspect = torch.exp(torch.empty(1).uniform_(float(low), float(high))).item()
        w, h = round((area * aspect) ** 0.5), round((area / aspect) ** 0.5)
        if 0 < w <= 17 and 0 < h <= 13:
            break
    assert (height, width) == (h, w)
    assert (top, left) == (torch.randint(0, 13 - h + 1, (1,)).item(), torch.randint(0, 17 - w + 1, (1,)).item())
    assert T.RandomResizedCrop(4)(COLOURS).shape == (4, 4, 3)
    assert T.RandomResizedCrop.get_params(np.zeros((2, 90)), (1.0, 1.0), (1.0, 1.0)) == (0, 44, 2, 2)  # nothing fits: the middle


def test_a_part_must_fit_unless_it_may_be_padded() -> None:
    with pytest.raises(ValueError, match=r"\(20, 20\) is larger than input image size \(13, 17\)"):
        T.RandomCrop(20)(GRAY)
    assert T.RandomCrop(20, pad_if_needed=True)(GRAY).shape == (20, 20)
    assert T.RandomCrop((13, 17), padding=0)(GRAY).shape == (13, 17)


@pytest.mark.parametrize("kind", ["1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F"])
def test_pillows_images_keep_their_mode(kind: str) -> None:
    image = Image.fromarray(COLOURS).convert(kind)
    image.info["made"] = "here"
    for result, expected in [
        (TF.hflip(image), image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        (TF.vflip(image), image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)),
        (TF.crop(image, 2, 3, 7, 8), image.crop((3, 2, 11, 9))),
        (TF.crop(TF.pad(image, 2), 2, 2, 13, 17), image),
        (TF.to_grayscale(image), image.convert("L")),
        (TF.to_grayscale(image, 3), image.convert("L").convert("RGB")),
    ]:
        assert (result.mode, result.size, result.getpalette()) == (expected.mode, expected.size, expected.getpalette())
        assert result.tobytes() == expected.tobytes()
    assert TF.hflip(image).info == image.info


# ---- colours and dtypes --------------------------------------------------------------------------------------------------------


def test_what_a_colour_weighs() -> None:
    expected = np.asarray(Image.fromarray(COLOURS).convert("L"))
    np.testing.assert_array_equal(T.Grayscale()(COLOURS), expected)
    np.testing.assert_array_equal(np.asarray(T.Grayscale(3)(Image.fromarray(COLOURS))), np.stack([expected] * 3, -1))
    image = torch.rand(2, 3, 4, 5)
    weighed = 0.2989 * image[:, 0] + 0.587 * image[:, 1] + 0.114 * image[:, 2]
    np.testing.assert_array_equal(T.Grayscale(3)(mg.tensor(image.numpy())).numpy(), weighed[:, None].expand(2, 3, 4, 5).numpy())
    np.testing.assert_array_equal(T.Grayscale()(GRAY), GRAY)
    with pytest.raises(TypeError, match=r"1 or 3 channels .* got shape \[2, 4, 4\]"):
        T.Grayscale()(mg.zeros(2, 4, 4))


def test_results_lie_in_memory_as_torchvisions() -> None:
    x = mg.tensor(COLOURS).permute(2, 0, 1).contiguous()
    assert TF.crop(x, -1, 2, 6, 9).is_contiguous()
    assert not TF.crop(x, 0, 2, 6, 3).is_contiguous()
    assert TF.adjust_hue(x, 0.1).stride() == (1, 3 * x.shape[2], 3)
    assert TF.rgb_to_grayscale(x, 3).stride() == (0, x.shape[2], 1)
    assert TF.rgb_to_grayscale(x[:1], 3).shape == (1, *x.shape[1:])  # and so it does not make three channels of one


def test_tensors_become_pictures_and_back() -> None:
    for image in (GRAY, COLOURS):
        tensor = T.ToTensor()(image)
        np.testing.assert_array_equal(np.asarray(T.ToPILImage()(tensor)), image)
        assert T.ToTensor()(T.ToPILImage()(tensor)).equal(tensor)
        assert T.PILToTensor()(Image.fromarray(image)).tolist() == np.atleast_3d(image).transpose(2, 0, 1).tolist()
        if image.ndim == 3:  # torchvision permutes a tensor of the pixels as they come
            expected = torch.from_numpy(image).permute(2, 0, 1).stride()
            assert T.PILToTensor()(Image.fromarray(image)).stride() == T.PILToTensor()(image).stride() == expected
            assert files.decode_image(written(Image.fromarray(image))).stride() == expected
            assert T.ToTensor()(Image.fromarray(image)).is_contiguous()
    bits = T.ConvertImageDtype(mg.float32)(mg.tensor(GRAY))
    assert bits.equal(mg.tensor(GRAY).float() / 255)
    assert T.ConvertImageDtype(mg.uint8)(bits).equal(mg.tensor(GRAY))
    assert T.ConvertImageDtype(mg.uint8)(mg.tensor([[2**30]], dtype=mg.int32)).item() == 128
    assert T.ConvertImageDtype(mg.int16)(mg.tensor([[3]], dtype=mg.uint8)).item() == 3 * 128


def test_how_they_are_shown() -> None:
    shown = [
        T.Resize(64), T.CenterCrop(4), T.RandomCrop(32, padding=4), T.RandomHorizontalFlip(), T.Grayscale(), T.Pad(2),
        T.ToPILImage(), T.RandomResizedCrop(8),
    ]  # fmt: skip
    assert [repr(t) for t in shown] == [
        "Resize(size=64, interpolation=bilinear, max_size=None, antialias=True)", "CenterCrop(size=(4, 4))",
        "RandomCrop(size=(32, 32), padding=4)", "RandomHorizontalFlip(p=0.5)", "Grayscale(num_output_channels=1)",
        "Pad(padding=2, fill=0, padding_mode=constant)", "ToPILImage()",
        "RandomResizedCrop(size=(8, 8), scale=(0.08, 1.0), ratio=(0.75, 1.3333), interpolation=bilinear, antialias=True)",
    ]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: T.Resize(4.5), TypeError, "int or sequence"), (lambda: T.Resize((1, 2, 3)), ValueError, "1 or 2 values"),
    (lambda: T.Resize(4)(None), TypeError, "ndarray, a tensor or an image of Pillow. Got <class 'NoneType'>"),
    (lambda: T.Resize(4, interpolation=2)(GRAY), TypeError, "InterpolationMode"),
    (lambda: T.Pad((1, 2, 3))(GRAY), ValueError, "1, 2, or 4 element"),
    (lambda: T.Pad(1, padding_mode="wrap")(GRAY), ValueError, "constant"),
    (lambda: T.Resize(4, InterpolationMode.BOX)(mg.zeros(1, 8, 8)), ValueError, "not box"),
])  # fmt: skip
def test_mistakes(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


# ---- pictures of batches ---------------------------------------------------------------------------------------------------------


def test_images_side_by_side() -> None:
    images = mg.arange(5.0).reshape(5, 1, 1, 1).expand(5, 1, 2, 2)
    grid = make_grid(images, nrow=3, padding=1, pad_value=9)
    expected = np.full((7, 10), 9.0)
    for k in range(5):
        top, left = 3 * (k // 3) + 1, 3 * (k % 3) + 1
        expected[top : top + 2, left : left + 2] = k
    expected[4:6, 7:9] = 9
    np.testing.assert_array_equal(grid.numpy(), np.stack([expected] * 3))
    scaled = make_grid(images, padding=0, normalize=True)
    assert (scaled.min().item(), scaled.max().item()) == (0, 1)
    assert make_grid(images, normalize=True, value_range=(0, 2)).max().item() == 1
    each = make_grid(images + mg.rand(5, 1, 2, 2), normalize=True, scale_each=True, padding=0)
    assert each[0].reshape(2, 5, 2).amax((0, 2)).tolist() == [1] * 5
    assert make_grid([mg.zeros(3, 2, 2)] * 2).shape == (3, 6, 10)
    assert make_grid(mg.zeros(2, 2)).shape == (3, 2, 2)
    with pytest.raises(TypeError, match="tensor or list of tensors expected"):
        make_grid(np.zeros((3, 2, 2)))


def test_a_picture_in_a_file(tmp_path: Path) -> None:
    image = mg.tensor(COLOURS.transpose(2, 0, 1)) / 255
    save_image(image, tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), COLOURS)
    with open(tmp_path / "many", "wb") as file:
        save_image([image] * 3, file, format="png", nrow=2)
    with Image.open(tmp_path / "many") as picture:
        assert picture.size == (2 * 19 + 2, 2 * 15 + 2)


# ---- image files -------------------------------------------------------------------------------------------------------------


def written(image: Any, format: str = "png", **options: Any) -> mg.Tensor:
    """The bytes of a file that Pillow writes."""
    file = io.BytesIO()
    image.save(file, format=format, **options)
    return mg.tensor(list(file.getvalue()), dtype=mg.uint8)


def channels_first(pixels: Any) -> Any:
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


@pytest.mark.parametrize(("mode", "pillows"), [
    ("GRAY", "L"), ("GRAY_ALPHA", "LA"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("rgb_alpha", "RGBA")])
@pytest.mark.parametrize("kind", ["1", "L", "LA", "RGB", "RGBA", "P"])
def test_image_files_are_read_into_the_channels_asked_for(kind: str, mode: str, pillows: str) -> None:
    image = Image.fromarray(COLOURS).convert(kind)
    result = files.decode_image(written(image), mode)
    assert result.dtype == mg.uint8
    np.testing.assert_array_equal(result.numpy(), channels_first(np.asarray(image.convert(pillows))))
    assert result.equal(files.decode_image(written(image), files.ImageReadMode[mode.upper()]))


def test_image_files_are_read_as_they_are() -> None:
    palette = Image.fromarray(COLOURS).quantize(16)
    for data, expected in [
        (written(Image.fromarray(GRAY)), GRAY),
        (written(Image.fromarray(COLOURS)), COLOURS),
        (written(palette), np.asarray(palette.convert("RGB"))),
        (written(palette, transparency=3), np.dstack([np.asarray(palette.convert("RGB")), 255 * (np.asarray(palette) != 3)])),
        (written(Image.fromarray(GRAY > 99)), 255 * (GRAY > 99)),
    ]:
        np.testing.assert_array_equal(files.decode_image(data).numpy(), channels_first(expected))
    jpeg = written(Image.fromarray(COLOURS), "jpeg")
    stored = Image.open(io.BytesIO(jpeg.numpy().tobytes()))
    np.testing.assert_array_equal(files.decode_image(jpeg).numpy(), channels_first(np.asarray(stored)))
    light = files.decode_image(jpeg, "GRAY")  # is stored in the file: the first channel of what Pillow calls YCbCr
    stored = Image.open(io.BytesIO(jpeg.numpy().tobytes()))
    stored.draft("YCbCr", None)
    np.testing.assert_array_equal(light[0].numpy(), np.asarray(stored)[..., 0])


def test_photographs_are_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    data = written(Image.fromarray(COLOURS), exif=exif)
    assert files.decode_image(data).shape == (3, 13, 17)
    upright = files.decode_image(data, apply_exif_orientation=True)
    np.testing.assert_array_equal(upright.numpy(), channels_first(np.rot90(COLOURS, -1)))


def test_image_files_on_the_disk(tmp_path: Path) -> None:
    for image in (mg.from_numpy(GRAY)[None], mg.from_numpy(COLOURS).permute(2, 0, 1)):
        files.write_png(image, tmp_path / "a.png")
        assert files.read_image(str(tmp_path / "a.png")).equal(image)
        assert files.read_file(tmp_path / "a.png").equal(files.encode_png(image))
        sizes = []
        for quality in (5, 95):
            files.write_jpeg(image, tmp_path / "a.jpg", quality)
            pixels = channels_first(np.asarray(Image.open(tmp_path / "a.jpg")))
            np.testing.assert_array_equal(files.decode_image(tmp_path / "a.jpg").numpy(), pixels)
            sizes.append(len(files.encode_jpeg(image, quality)))
        assert pixels.shape == image.shape
        assert sizes[0] < sizes[1] == (tmp_path / "a.jpg").stat().st_size
    assert len(files.encode_png(mg.zeros(1, 50, 50, dtype=mg.uint8), 0)) > 2500


def test_what_is_no_image_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"No such file or directory: 'nowhere.png'"):
        files.read_image("nowhere.png")
    for data in (mg.zeros(0, dtype=mg.uint8), mg.zeros(3, 3, dtype=mg.uint8), mg.zeros(9)):
        with pytest.raises(RuntimeError, match="one dimension and dtype uint8"):
            files.decode_image(data)
    with pytest.raises(RuntimeError, match="no image"):
        files.decode_image(mg.zeros(9, dtype=mg.uint8))
    with pytest.raises(RuntimeError, match="one dimension and dtype uint8"):
        files.write_file(tmp_path / "x", mg.zeros(3))
    with pytest.raises(NotImplementedError, match="mode 'I;16' are not supported"):
        files.decode_image(written(Image.fromarray(GRAY.astype(np.uint16))))
    for image in (mg.zeros(2, 3, 3, dtype=mg.uint8), mg.zeros(3, 3, dtype=mg.uint8), mg.zeros(3, 3, 3)):
        with pytest.raises(RuntimeError, match=r"encode_png\(\): expected a tensor of shape \(1 or 3, height, width\)"):
            files.encode_png(image)

# ---- datasets ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_cifar(tmp_path: Path) -> type[CIFAR10]:
    """CIFAR-10 of three images a file, in the form in which Python 2 wrote it."""
    digests: dict[str, str] = {}

    def add(name: str, content: dict[bytes, Any]) -> None:
        data = pickle.dumps(content, protocol=2)
        digests[name] = hashlib.md5(data).hexdigest()
        (tmp_path / name).write_bytes(data)
        archive.add(tmp_path / name, f"cifar-10-batches-py/{name}")

    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as archive:
        for i, name in enumerate([*CIFAR10.train_list, *CIFAR10.test_list]):
            pixels = np.random.default_rng(i).integers(0, 256, (3, 3072), np.uint8)
            add(name, {b"data": pixels, b"labels": [i, 1, 9], b"filenames": [b"a.png"] * 3})
        add("batches.meta", {b"label_names": [b"airplane", b"automobile"]})

    class Small(CIFAR10):
        train_list = {name: digests[name] for name in CIFAR10.train_list}  # noqa: RUF012
        test_list = {name: digests[name] for name in CIFAR10.test_list}  # noqa: RUF012
        names = ("batches.meta", digests["batches.meta"], "label_names")

    return Small


def test_cifar_is_read_from_its_archive_and_from_what_was_in_it(small_cifar: type[CIFAR10], tmp_path: Path) -> None:
    data = small_cifar(tmp_path, train=True)
    assert (len(data), data.targets[:4], data.classes) == (15, [0, 1, 9, 1], ["airplane", "automobile"])
    image, target = data[3]
    pixels = np.random.default_rng(1).integers(0, 256, (3, 3072), np.uint8)[0]
    np.testing.assert_array_equal(image, pixels.reshape(3, 32, 32).transpose(1, 2, 0))
    assert target == 1
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz") as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    again = small_cifar(tmp_path / "unpacked", train=False, transform=T.ToTensor())
    assert (len(again), again[0][0].shape) == (3, (3, 32, 32))
    assert "Split: Test" in repr(again)


def test_cifar_refuses_what_is_not_genuine(small_cifar: type[CIFAR10], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no"):
        CIFAR10(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"has the MD5 .* instead of"):
        CIFAR10(tmp_path)
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"no archive")
    with pytest.raises(DataError, match="no whole archive"):
        small_cifar(tmp_path)


def test_images_in_folders(tmp_path: Path) -> None:
    for name in ("dog/1.png", "cat/b.png", "cat/deeper/a.JPG", "cat/no.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(COLOURS).save(path, format="png") if path.suffix != ".txt" else path.touch()
    data = ImageFolder(tmp_path, transform=T.ToTensor())
    assert (data.classes, data.class_to_idx, data.targets) == (["cat", "dog"], {"cat": 0, "dog": 1}, [0, 0, 1])
    assert [Path(path).name for path, _ in data.imgs] == ["b.png", "a.JPG", "1.png"]
    assert data[0][0].equal(T.ToTensor()(COLOURS))
    own = DatasetFolder(tmp_path, lambda path: path, is_valid_file=lambda path: path.endswith((".txt", ".png")))
    assert len(own) == 3
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no valid file for the classes empty"):
        ImageFolder(tmp_path)
    assert len(ImageFolder(tmp_path, allow_empty=True)) == 3
    with pytest.raises(FileNotFoundError, match="any class folder"):
        ImageFolder(tmp_path / "empty")


def test_fake_data_are_torchs_numbers() -> None:
    before = mg.get_rng_state()
    data = FakeData(3, (3, 4, 5), 7, transform=T.ToTensor(), random_offset=10)
    torch.manual_seed(12)
    noise, target = torch.randn(3, 4, 5), torch.randint(0, 7, size=(1,)).item()
    image, label = data[2]
    assert label == target
    np.testing.assert_array_equal((image * 255).round().numpy(), noise.mul(255).byte().numpy())
    assert mg.get_rng_state().equal(before)
    assert len(list(data)) == 3


def test_without_pillow() -> None:
    code = """
import sys
import minigrad.vision
assert "PIL" not in sys.modules
sys.modules["PIL"] = None
from minigrad.vision import transforms, utils
import numpy
print(transforms.Resize(2)(numpy.zeros((4, 4), numpy.uint8)).shape)
try:
    utils.save_image(minigrad.zeros(3, 2, 2), "x.png")
except ImportError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["(2, 2)", "image files and Pillow's images need the package Pillow: pip install pillow"]


LINEAR: dict[str, Any] = {
    "crop": lambda x: TF.crop(x, 1, 0, 2, 3), "crop beyond the edge": lambda x: TF.crop(x, -1, 2, 3, 9),
    "center_crop": lambda x: TF.center_crop(x, [2, 3]), "center_crop of less": lambda x: TF.center_crop(x, [9, 8]),
    "pad": lambda x: TF.pad(x, [1, 2, 0, 1]), "reflect": lambda x: TF.pad(x, 2, padding_mode="reflect"),
    "edge": lambda x: TF.pad(x, [2, 1], padding_mode="edge"), "symmetric": lambda x: TF.pad(x, 1, padding_mode="symmetric"),
    "hflip": TF.hflip, "vflip": TF.vflip, "resize": lambda x: TF.resize(x, [3, 7]),
    "nearest": lambda x: TF.resize(x, [3, 7], TF.InterpolationMode.NEAREST),
    "resized_crop": lambda x: TF.resized_crop(x, 1, 1, 3, 3, [2, 5]),
}  # fmt: skip


@pytest.mark.parametrize("name", LINEAR)
def test_gradients_go_through_what_moves_pixels(name: str) -> None:
    function, (x, y) = LINEAR[name], (mg.from_numpy(each) for each in np.random.default_rng(0).standard_normal((2, 2, 3, 5, 6)))
    out = function(x.requires_grad_())
    weights = mg.from_numpy(np.random.default_rng(1).standard_normal(tuple(out.shape)))
    (out * weights).sum().backward()
    assert (x.grad * y).sum().item() == pytest.approx((function(y) * weights).sum().item())  # the adjoint of a linear function


def test_gradients_are_not_lost_without_a_word() -> None:
    image = mg.rand(3, 4, 4).requires_grad_()
    with pytest.raises(NotImplementedError, match=r"gradients through this transform are not supported; pass img\.detach\(\)"):
        TF.rotate(image, 30.0)
    with mg.no_grad():
        assert TF.rotate(image, 30.0).shape == (3, 4, 4)
