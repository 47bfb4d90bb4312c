"""Words and shapes that functions of `asyt` take and give, for type checkers and editors."""

from __future__ import annotations

from typing import Literal, TypedDict

Method = Literal[
    "at",
    "at-adaptive",
    "in-silico",
    "ideal",
    "pat",
    "pat-output",
    "noise-aware",
    "dfa",
    "dfa-model",
    "spsa",
    "zeroth-order",
    "coordinate",
    "parameter-shift",
    "dat",
    "dat-internal",
    "in-situ",
    "ffm",
    "phyll",
    "subspace",
    "sat",
    "sat-output",
    "guided",
    "guided-model",
    "tiki-taka",
]
Layout = Literal["rectangular", "triangular", "diamond", "butterfly", "benes", "custom"]
Convention = Literal["native", "neurophox", "dat-mpnn"]
Precision = Literal["f32", "f64"]


class Facts(TypedDict):
    """Numbers and words that describe a chip."""

    controls: int
    inputs: int
    complex_inputs: bool
    outputs: int
    layers: int
    meshes: list[int]
    kind: str
    seed: int
    imperfections: str
    notes: list[str]


class _Accesses(TypedDict):

    reads: int
    injections: int
    inputs: int
    control_writes: int
    passes: int
    rounds: int
    frames: int
    digital_passes: int
    digital_backward_passes: int
    digital_flops: int


class Accesses(_Accesses, total=False):
    """All that a method read and wrote, counted; `cell_writes` where non-volatile cells were written."""

    cell_writes: int


class _Result(TypedDict):
    method: str
    chip_seed: int
    share_model: int
    epochs: int
    wall_seconds: float
    engine: str
    chip_reads: int
    chip_injections: int
    control_writes: int
    digital_passes: int
    digital_backward_passes: int
    digital_flops: int
    accesses: Accesses


class Result(_Result, total=False):
    """What one method reached, and what it read and wrote. Its scores are those of `Run.score`, and `misfit` is there of methods with a model."""

    misfit: float
    peak_memory_bytes: int
    chip_times: dict[str, float]
    final_test_accuracy: float
    best_test_accuracy: float
    final_train_accuracy: float
    final_test_r_squared: float
    best_test_r_squared: float
    final_train_r_squared: float
    final_test_mean_square_error: float
    best_test_mean_square_error: float
    final_train_mean_square_error: float
