"""The mesh tools: phases from matrices, and matrices from phases."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Optional, Sequence, Union

import numpy as np

from . import _asyt
from ._errors import UsageError
from ._types import Convention, Layout


@dataclass(frozen=True)
class Phases:
    """The phases of one mesh (radians), `[θ of every MZI, φ of every MZI, γ of every mode]`, in a convention (docs/conventions.md).

    `columns` is the number of columns of a rectangular mesh, `pairs` lists the (upper, lower) modes of every column of a custom one.
    """

    values: np.ndarray
    modes: int
    layout: Layout = "rectangular"
    columns: Optional[int] = None
    convention: Convention = "native"
    pairs: Optional[Sequence[Sequence[tuple[int, int]]]] = None

    @property
    def theta(self) -> np.ndarray:
        """θ of every MZI, column by column."""
        return self.values[: (len(self.values) - self.modes) // 2]

    @property
    def phi(self) -> np.ndarray:
        """φ of every MZI, column by column."""
        return self.values[(len(self.values) - self.modes) // 2 : len(self.values) - self.modes]

    @property
    def gamma(self) -> np.ndarray:
        """γ of every mode."""
        return self.values[len(self.values) - self.modes :]


def _complex(matrix) -> np.ndarray:
    matrix = np.ascontiguousarray(matrix, dtype=np.complex128)
    if matrix.ndim != 2:
        raise UsageError(f"a matrix has two dimensions, this array has {matrix.ndim}")
    return matrix


def decompose(
    U,
    layout: Layout = "rectangular",
    convention: Convention = "native",
    *,
    columns: Optional[int] = None,
    embed: bool = False,
) -> Phases:
    """The phases with which a mesh makes the unitary matrix `U`, `[output, input]`.

    A rectangular mesh has `columns`, as many as modes or more. A diamond makes a part of the unitary matrices; with `embed` any `U` of N
    modes is put on the lower N of a diamond of 2N-2 modes.

    >>> U = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0]
    >>> bool(abs(matrix(decompose(U, layout="triangular", convention="neurophox")) - U).max() < 1e-12)
    True
    """
    U = _complex(U)
    modes = max(2 * len(U) - 2, 0) if embed else len(U)
    return Phases(_asyt.decompose(U, layout, columns, embed, convention), modes, layout, columns, convention)


def fit(
    U,
    layout: Layout,
    *,
    columns: Optional[int] = None,
    pairs: Optional[Sequence[Sequence[tuple[int, int]]]] = None,
    steps: int = 2000,
    starts: int = 4,
    seed: int = 1,
) -> tuple[Phases, float]:
    """The phases with which a mesh of any layout comes nearest to the matrix `U`, found by gradient, and the fidelity `|tr UᴴT|²/(N |U|²)`.

    >>> U = np.fft.fft(np.eye(4)) / 2
    >>> phases, fidelity = fit(U[:, [0, 2, 1, 3]], "butterfly", steps=500)
    >>> bool(fidelity > 0.999)
    True
    """
    U = _complex(U)
    values, fidelity = _asyt.fit(U, layout, columns, pairs, steps, starts, seed)
    return Phases(values, len(U), layout, columns, pairs=pairs), fidelity


def matrix(phases: Phases) -> np.ndarray:
    """The transfer matrix `[output, input]` of a mesh at `phases`."""
    values = np.ascontiguousarray(phases.values, dtype=np.float64)
    return _asyt.mesh_matrix(values, phases.modes, phases.layout, phases.columns, phases.pairs, phases.convention)


def convert(phases: Phases, to: Convention) -> Phases:
    """The same mesh, with the same matrix, in the convention `to`: native, neurophox or dat-mpnn."""
    values = np.ascontiguousarray(phases.values, dtype=np.float64)
    own = (phases.modes, phases.layout, phases.columns, phases.pairs, phases.convention)
    return replace(phases, values=_asyt.convert(values, *own, to), convention=to)


@dataclass(frozen=True)
class SvdPhases:
    """`W = gain · U diag(sin(attenuators/2)) Vᴴ`: the phases of two meshes, and the angles of the attenuators between them."""

    v: Phases
    attenuators: np.ndarray
    u: Phases
    gain: float

    @property
    def controls(self) -> np.ndarray:
        """All controls of the network of these three stages, in its order."""
        return np.concatenate([self.v.values, self.attenuators, [self.gain], self.u.values])


def svd_phases(W, layout: Layout = "rectangular") -> SvdPhases:
    """The phases with which two meshes and attenuators make any matrix `W`, `[output, input]`.

    >>> W = np.arange(6.0).reshape(2, 3)
    >>> parts = svd_phases(W)
    >>> middle = np.zeros((2, 3)); np.fill_diagonal(middle, parts.gain * np.sin(parts.attenuators / 2))
    >>> bool(abs(matrix(parts.u) @ middle @ matrix(parts.v) - W).max() < 1e-10)
    True
    """
    W = _complex(W)
    outputs, inputs = W.shape
    controls = _asyt.singular_values(W, layout)
    first, last = inputs * inputs, outputs * outputs
    middle = controls[first : len(controls) - last]
    v = Phases(controls[:first], inputs, layout)
    u = Phases(controls[len(controls) - last :], outputs, layout)
    return SvdPhases(v, middle[:-1], u, float(middle[-1]))


def read_phases(path: Union[str, os.PathLike], convention: Optional[Convention] = None) -> list[Phases]:
    """The meshes of a phase file (npz), in the native convention; `convention` where the file does not record its own."""
    meshes = _asyt.read_meshes(os.fspath(path), convention)
    return [
        Phases(values, modes, layout, columns if layout == "rectangular" else None, pairs=pairs)
        for modes, layout, columns, pairs, values in meshes
    ]


def write_phases(path: Union[str, os.PathLike], meshes: Sequence[Phases], convention: Convention = "native") -> None:
    """Writes meshes as a phase file that the program reads, in `convention`."""
    shown = []
    for own in meshes:
        native = convert(own, "native")
        layers = native.columns or native.modes
        shown.append((native.modes, native.layout, layers, native.pairs, np.ascontiguousarray(native.values, dtype=np.float64)))
    _asyt.write_meshes(os.fspath(path), convention, shown)
