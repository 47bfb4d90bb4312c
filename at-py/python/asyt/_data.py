"""Data sets: by name, from files, or arrays."""

from __future__ import annotations

import os
from typing import Any, Optional, Union

import numpy as np

from . import _asyt
from ._errors import UsageError
from ._settings import named, text


class Data:
    """Training and test samples. Made by `asyt.load`; `asyt.train` also takes a name, or arrays `(x, y)`.

    `x_train`, `y_train`, `x_test`, `y_test` are arrays: features `[sample, feature]` as float32 or complex64, and labels from 0, or real targets
    `[sample, target]`.
    """

    def __init__(self, samples: _asyt.Data, settings: Optional[dict[str, Any]]):
        self._samples = samples
        self._settings = settings  # None of arrays, which have no name

    @property
    def name(self) -> str:
        """The name in reports."""
        return self._samples.name

    @property
    def classes(self) -> int:
        """Number of classes; 0 where targets are real."""
        return self._samples.classes

    @property
    def class_names(self) -> Optional[list[str]]:
        """What the classes are called, where they have names."""
        return self._samples.class_names

    @property
    def image(self) -> Optional[tuple[int, ...]]:
        """Where a sample is an image: (rows, columns), or (channels, rows, columns) where there are several channels, in the order of
        the features."""
        image = self._samples.image
        return image[1:] if image and image[0] == 1 else image

    @property
    def stored(self) -> bool:
        """The samples stay in their files, and training reads them batch by batch; `x_train` and `x_test` read all of them."""
        return self._samples.stored

    @property
    def note(self) -> Optional[str]:
        """What a reader of results must know: how a table was read, split and scaled."""
        return self._samples.note

    def _features(self, part: int) -> np.ndarray:
        features = self._samples.features(part)
        return features.view(np.complex64) if self._samples.complex else features

    x_train = property(lambda self: self._features(0), doc="Features of the training samples.")
    y_train = property(lambda self: self._samples.targets(0), doc="Labels or real targets of the training samples.")
    x_test = property(lambda self: self._features(1), doc="Features of the test samples.")
    y_test = property(lambda self: self._samples.targets(1), doc="Labels or real targets of the test samples.")

    def __repr__(self) -> str:
        train, test = self._samples.counts
        return f"<asyt.Data {self.name}: {train} training and {test} test samples>"


def load(
    dataset: Union[str, os.PathLike],
    *,
    data_dir: Union[str, os.PathLike, None] = None,
    label_column: Union[str, int, None] = None,
    target_columns: Union[str, list[str], None] = None,
    split: Union[str, float, None] = None,
    scale: Optional[str] = None,
    train_limit: Optional[int] = None,
    test_limit: Optional[int] = None,
    data_memory: Optional[int] = None,
) -> Data:
    """The data set `dataset`: `digits`, `iris`, `vowel`, `mnist`, `fashion-mnist`, `kmnist`, `cifar-10`, or files: a table, `FILE.npz`,
    `X.npy,Y.npy`, or a folder with both parts (docs/data.md).

    The MNIST family and CIFAR-10 lie in `data_dir`, or where `asyt data fetch mnist` has put them. `label_column` and `target_columns` say what is
    learned of a table. One table or pair of arrays is split, `split` being the share of the training samples ("0.8:7" with a seed); limits take
    the first samples of each part; `scale` is "standard" or "unit", measured on the training samples that are left. Samples that take more than
    `data_memory` (MB; by default an eighth of what is free) stay in their files and are read batch by batch, with the same results.

    >>> digits = load("digits", train_limit=100)
    >>> digits.x_train.shape, digits.classes
    ((100, 64), 10)
    >>> load("digit")
    Traceback (most recent call last):
    ...
    asyt._errors.UsageError: unknown dataset "digit"; did you mean digits? known: ...
    """
    settings = named(
        {
            "dataset": os.fspath(dataset),
            "data_dir": data_dir and os.path.abspath(data_dir),
            "label_column": None if label_column is None else str(label_column),
            "target_columns": target_columns,
            "split": None if split is None else str(split),
            "scale": scale,
            "train_limit": train_limit,
            "test_limit": test_limit,
            "data_memory": data_memory,
        }
    )
    return Data(_asyt.Data.open(text(settings)), settings)


def arrays(
    x,
    y,
    x_test=None,
    y_test=None,
    *,
    image: Optional[tuple[int, ...]] = None,
    name: str = "arrays",
    split: Union[str, float, None] = None,
) -> Data:
    """Samples of arrays: `x [sample, feature]`, real or complex, or images `[sample, row, column]`,
    `[sample, channel, row, column]` or `[sample, row, column, channel]`, of uint8 divided by 255; `image` says the (rows, columns) or
    (channels, rows, columns) of flat ones. `y` holds labels from 0 as integers, or real targets as floats.

    Without test samples a fifth is set apart for the test: drawn with seed 0, of every class its share. `split` is another share of
    training samples, "0.7:3" with another seed.

    >>> data = arrays(np.eye(10), np.arange(10) % 2)
    >>> len(data.x_train), len(data.x_test), data.classes
    (8, 2, 2)
    """
    x, shape = _images(x, image)
    x, y = _features(x, "x"), np.atleast_1d(y)
    if split is not None and x_test is not None:
        raise UsageError("split parts samples in one piece, and these have test samples already; drop it")
    if (x_test is None) != (y_test is None):
        raise UsageError("x_test and y_test belong together; pass both or neither")
    if len(x) != len(y):
        raise UsageError(f"x holds {len(x)} samples and y {len(y)}")
    if x_test is None:
        test = _apart(y, *_share(split))
        x, x_test, y, y_test = x[~test], x[test], y[~test], y[test]
    else:
        x_test, y_test = _features(_images(x_test, image)[0], "x_test"), np.asarray(y_test)
    if x.dtype != x_test.dtype:
        x, x_test = x.astype(np.complex64), x_test.astype(np.complex64)
    complex_ = x.dtype.kind == "c"
    x, x_test = (part.view(np.float32) for part in (x, x_test))
    if y.dtype.kind in "iub":
        labels = [_labels(part, "y") for part in (y, y_test)]
        classes = int(max((part.max(initial=0) for part in labels), default=0)) + 1
        return Data(_asyt.Data.of_classes(name, (x, labels[0]), (x_test, labels[1]), classes, shape, complex_), None)
    if y.dtype.kind != "f":
        raise UsageError(f"y must hold integers, the labels of classes, or floats, real targets, not {y.dtype}")
    targets = [np.ascontiguousarray(part.reshape(len(part), -1), dtype=np.float32) for part in (y, y_test)]
    return Data(_asyt.Data.of_values(name, (x, targets[0]), (x_test, targets[1]), shape, complex_), None)


def _images(x, image: Optional[tuple[int, ...]]):
    """Samples with channels first, and (channels, rows, columns): what a person calls an image, or what the axes say, as of files.

    >>> [_images(np.zeros(shape), None)[1] for shape in [(2, 9), (2, 4, 5), (2, 3, 8, 9), (2, 8, 9, 3)]]
    [None, (1, 4, 5), (3, 8, 9), (3, 8, 9)]
    >>> _images(np.zeros((2, 9)), (3, 3))[1], round(float(_images(np.full((2, 4, 5), 51, np.uint8), None)[0].max()), 6)
    ((1, 3, 3), 0.2)
    """
    x = np.asarray(x)
    if image is not None:
        if len(image) not in (2, 3):
            raise UsageError(f"image = {tuple(image)} is not valid: write (rows, columns) or (channels, rows, columns)")
        return x, (1, *image) if len(image) == 2 else tuple(image)
    if x.ndim not in (3, 4):
        return x, None
    if x.dtype == np.uint8:
        x = (x.astype(np.float32) / np.float32(255)).astype(np.float32)
    if x.ndim == 3:
        return x, (1, *x.shape[1:])
    if x.shape[1] != 1 and (x.shape[3] == 1 or (x.shape[3] <= 4 and x.shape[1] > 4)):
        x = np.moveaxis(x, -1, 1)
    return x, tuple(x.shape[1:])


def _features(x, what: str) -> np.ndarray:
    x = np.asarray(x)
    if x.dtype.kind not in "iubfc":
        raise UsageError(f"{what} must hold numbers, real or complex, not {x.dtype}")
    if x.ndim < 2:
        raise UsageError(f"{what} must have the shape [sample, feature], got {list(x.shape)}")
    return np.ascontiguousarray(x.reshape(len(x), -1), dtype=np.complex64 if x.dtype.kind == "c" else np.float32)


def _share(split: Union[str, float, None]) -> tuple[float, int]:
    """The share of the training samples and the seed.

    >>> _share(None), _share(0.7), _share("0.7:3")
    ((0.8, 0), (0.7, 0), (0.7, 3))
    """
    share, _, seed = str(0.8 if split is None else split).partition(":")
    try:
        if 0 < float(share) < 1 and int(seed or 0) >= 0:
            return float(share), int(seed or 0)
    except ValueError:
        pass
    raise UsageError(f"split = {split} is not valid: write the share of training samples, between 0 and 1, as 0.8 or '0.8:7'")


def _apart(y: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Which samples are for the test. Arrays are often sorted by class, so that their last fifth would hold none of most."""
    random = np.random.default_rng(seed)
    test = np.zeros(len(y), dtype=bool)
    kinds = [np.flatnonzero(y == label) for label in np.unique(y)] if y.ndim == 1 and y.dtype.kind in "iub" else [np.arange(len(y))]
    for samples in kinds:
        test[random.permutation(samples)[: round(len(samples) * (1 - share))]] = True
    if not test.any() and len(y) > 1:
        test[random.integers(len(y))] = True
    return test


def _labels(y: np.ndarray, what: str) -> np.ndarray:
    if y.ndim != 1 or (y.size and int(y.min()) < 0):
        raise UsageError(f"{what} must be a vector of labels from 0")
    return np.ascontiguousarray(y, dtype=np.uint32)


def understood(data) -> Data:
    """What a function takes for data."""
    if isinstance(data, Data):
        return data
    if isinstance(data, (str, os.PathLike)):
        return load(os.fspath(data))
    if isinstance(data, (tuple, list)) and len(data) in (2, 4):
        return arrays(*data)
    raise UsageError("data is a name, asyt.load(...), (x, y), or (x, y, x_test, y_test)")
