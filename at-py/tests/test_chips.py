"""Simulated chips, chips in Python, and the mesh tools."""

import os
import signal
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

import asyt

warnings.simplefilter("ignore", asyt.Note)


def unitary(modes, seed=1):
    real, imaginary = np.random.default_rng(seed).normal(size=(2, modes, modes))
    return np.linalg.qr(real + 1j * imaginary)[0]


@pytest.mark.parametrize("layout", ["rectangular", "triangular"])
@pytest.mark.parametrize("convention", ["native", "neurophox", "dat-mpnn"])
def test_phases_make_the_matrix_they_come_from(tmp_path, layout, convention):
    U = unitary(6)
    phases = asyt.decompose(U, layout=layout, convention=convention)
    assert abs(asyt.matrix(phases) - U).max() < 1e-12
    assert len(phases.theta) == len(phases.phi) == 15 and len(phases.gamma) == 6
    native = asyt.convert(phases, "native")
    assert abs(asyt.matrix(native) - U).max() < 1e-12
    asyt.write_phases(tmp_path / "F.npz", [phases], convention="neurophox")
    (read,) = asyt.read_phases(tmp_path / "F.npz")
    assert read.layout == layout and abs(asyt.matrix(read) - U).max() < 1e-12


def test_redundant_columns_and_diamonds_make_the_matrix():
    U = unitary(4)
    phases = asyt.decompose(U, columns=7)
    assert phases.columns == 7 and abs(asyt.matrix(phases) - U).max() < 1e-12
    phases = asyt.decompose(U, "diamond", embed=True)
    assert phases.modes == 6 and abs(asyt.matrix(phases)[2:, 2:] - U).max() < 1e-12
    again = asyt.decompose(asyt.matrix(phases), "diamond")
    assert abs(asyt.matrix(again) - asyt.matrix(phases)).max() < 1e-12
    with pytest.raises(asyt.Error, match="beside the diagonal"):
        asyt.decompose(U, "diamond")
    with pytest.raises(asyt.UsageError, match="embed"):
        asyt.decompose(U, embed=True)


def test_other_layouts_are_fitted_kept_and_read_back(tmp_path):
    pairs = [[(0, 3), (1, 2)], [(0, 1)], [(2, 3)], [(1, 3)]]
    for layout, own in [("butterfly", {}), ("benes", {}), ("custom", {"pairs": pairs})]:
        target = asyt.Phases(np.linspace(0.1, 5.0, 2 * {"butterfly": 4, "benes": 6, "custom": 5}[layout] + 4), 4, layout, **own)
        U = asyt.matrix(target)
        assert abs(U.conj().T @ U - np.eye(4)).max() < 1e-12
        phases, fidelity = asyt.fit(U, layout, **own)
        assert fidelity > 0.999 and abs(asyt.matrix(phases) - U).max() < 0.1
        asyt.write_phases(tmp_path / "F.npz", [phases])
        (read,) = asyt.read_phases(tmp_path / "F.npz")
        assert read.layout == layout and np.array_equal(asyt.matrix(read), asyt.matrix(phases))
    with pytest.raises(asyt.UsageError, match="pairs"):
        asyt.matrix(asyt.Phases(np.zeros(14), 4, "custom"))
    with pytest.raises(asyt.Error, match="use 4 or 8"):
        asyt.fit(np.eye(6), "butterfly")
    chip = asyt.Chip("mesh:8,butterfly,activation=none", kind="ideal", precision="f64")
    controls = chip.initial_controls()
    chip.program(controls)
    assert abs(chip.transfer_matrices()[0] - asyt.matrix(asyt.Phases(controls, 8, "butterfly"))).max() < 1e-12
    assert chip.phases(controls)[0]["theta"].shape == (3, 4)


def test_what_is_no_unitary_matrix_is_refused():
    for matrix, words in [(np.ones((3, 3)), "unitary"), (np.ones((2, 3)), "square"), (np.ones(3), "two dimensions")]:
        with pytest.raises(asyt.Error, match=words):
            asyt.decompose(matrix)
    with pytest.raises(asyt.UsageError, match="known: rectangular, triangular"):
        asyt.decompose(np.eye(3), layout="round")


def test_a_chip_without_imperfections_does_what_its_matrices_say():
    chip = asyt.Chip("mesh:8x2,activation=none", kind="ideal", precision="f64")
    controls = chip.initial_controls()
    chip.program(controls)
    x = unitary(8)[:3]
    first, second = chip.transfer_matrices()
    fields = chip.hidden(x)
    assert np.allclose(fields[0], x @ first.T, atol=1e-12)
    assert np.allclose(chip.propagate(x), abs(x @ first.T @ second.T) ** 2, atol=1e-12)
    own = chip.phases(controls)[0]
    mzis = [own[name][~np.isnan(own[name])] for name in ("theta", "phi")]
    assert np.allclose(asyt.matrix(asyt.Phases(np.concatenate([*mzis, own["gamma"]]), 8)), first, atol=1e-12)


def test_chips_of_a_kind_are_individuals_and_numbers_tell_them_apart(tmp_path):
    def answers(**what):
        chip = asyt.Chip("mesh:8x2", precision="f64", **what)
        chip.program(chip.initial_controls())
        return chip.transfer_matrices()[0]

    one, same, other = answers(seed=1), answers(seed=1), answers(seed=2)
    assert np.array_equal(one, same) and abs(one - other).max() > 1e-3
    asyt.Chip("mesh:8x2", seed=1).save(tmp_path / "chip.npz")
    assert np.array_equal(answers(chip_file=str(tmp_path / "chip.npz")), one)


def test_voltages_follow_the_law_of_the_heaters():
    chip = asyt.Chip("mesh:4x1", kind="ideal", control_range=4 * np.pi)
    # the phase is as the square of the voltage: half a radian more is the same share of the range, wherever
    low, high = (chip.voltages(np.full(16, phase)) for phase in (1.0, 1.5))
    assert np.allclose(high**2 - low**2, 0.5 / (4 * np.pi)) and (low > 0).all() and (high < 1).all()
    assert np.isnan(asyt.Chip("mesh:4x1", kind="ideal").voltages(np.zeros(16))).all()


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: asyt.Chip("mesh:8x2", kind="none"), "unknown chip|none"),
        (lambda: asyt.Chip("mesh:8x2", fase=0.1), "fase"),
        (lambda: asyt.Chip("mesh:in").facts, "in.*out.*write numbers"),
        (lambda: asyt.Chip("mesh:8x2").program(np.zeros(3)), r"shape \[128\]"),
        (lambda: asyt.Chip("mesh:8x2").program(np.full(128, np.nan)), "finite"),
        (lambda: asyt.Chip("mesh:8x2").propagate(np.ones((2, 8))), "program the network"),
        (lambda: asyt.Chip("bank:8-2").propagate(np.ones((2, 8), complex)), "real numbers"),
    ],
)
def test_a_request_that_makes_no_sense_is_named(wrong, words):
    with pytest.raises(asyt.UsageError, match=words):
        wrong()


class Bench:
    """An imperfect mesh chip, whose inside nobody sees: 8 modes, 2 meshes."""

    controls, inputs, outputs, complex = 128, 8, 8, True
    limits, period = (-20.0, 20.0), 2 * np.pi

    def __init__(self):
        self.inside = asyt.Chip("mesh:8x2", seed=4, **SPREADS)
        self.programmed = 0
        self.outside = 0.0

    def program(self, controls):
        self.programmed += 1
        self.outside = max(self.outside, float(abs(controls).max()))
        self.inside.program(controls)

    def send(self, x):
        return self.inside.propagate(x)


SPREADS = dict(kind="mesh")
TASK = dict(data="iris", epochs=4, batch_size=10, progress=False, engine="cpu")


def test_a_chip_in_numpy_trains_to_within_a_point_of_the_same_chip_inside():
    sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
    from numpy_bench import Bench as Numpy

    chip = asyt.Chip("mesh:8x2", kind="ideal", seed=4, splitter_angle=0.05, phase=0.3)
    numpy_chip = Numpy([(own["first_coupler"], own["second_coupler"], own["phases"]) for own in chip.errors() if own])
    controls = chip.initial_controls()
    x = (10 * unitary(8)[:3]).astype(np.complex64)  # bright enough to drive the activation
    for each in (chip, numpy_chip):
        each.program(np.float32(controls))
    read = chip.propagate(x)
    assert np.allclose(read, numpy_chip.send(x), rtol=1e-4, atol=1e-5) and read.std() > 0.1

    task = {**TASK, "epochs": 60, "learning_rate": 0.05}
    there = asyt.train("mesh:8x2", numpy_chip, kind="ideal", method=["at-adaptive", "in-silico"], **task)
    inside = asyt.train("mesh:8x2", chip, method="at-adaptive", **task)
    accuracies = [run.results[0]["final_test_accuracy"] for run in (there, inside)]
    assert min(accuracies) > 0.85 and abs(accuracies[0] - accuracies[1]) <= 0.01, accuracies


def test_a_chip_in_python_reads_and_writes_as_many_values_as_a_simulated_one():
    bench = Bench()
    there = asyt.train("mesh:8x2", bench, method="at-adaptive", **TASK)
    inside = asyt.train("mesh:8x2", asyt.Chip("mesh:8x2", seed=4, **SPREADS), method="at-adaptive", **TASK)
    assert bench.programmed > 40 and bench.outside <= 20
    for name in ("chip_reads", "control_writes"):
        assert there.results[0][name] == inside.results[0][name] > 0


class Wrong(Bench):
    def __init__(self, what):
        super().__init__()
        self.what = what

    def send(self, x):
        if self.programmed > 3 and self.what == "raises":
            raise RuntimeError("the laser is off")
        read = super().send(x)
        if self.programmed > 3 and self.what == "nan":
            read = np.full_like(read, np.nan)
        if self.programmed > 3 and self.what == "shape":
            read = read[:, :3]
        return read


@pytest.mark.parametrize("what, words", [("raises", "the laser is off"), ("nan", "finite|number|NaN"), ("shape", r"expected \[")])
def test_a_chip_in_python_that_fails_is_one_error(tmp_path, what, words):
    with pytest.raises(asyt.RunError, match=words):
        asyt.train("mesh:8x2", Wrong(what), method="at", out=tmp_path / "run", **TASK)


def test_an_object_that_is_no_chip_is_told_what_a_chip_has():
    with pytest.raises(asyt.UsageError, match="has no program"):
        asyt.train("mesh:8x2", object(), method="at", **TASK)
    bench = Bench()
    bench.outputs = 5
    with pytest.raises(asyt.Error, match="5 outputs, the network 8"):
        asyt.train("mesh:8x2", bench, method="at", **TASK)
    bench = Bench()
    bench.limits = (1.0, -1.0)
    with pytest.raises(asyt.UsageError, match="limits"):
        asyt.train("mesh:8x2", bench, method="at", **TASK)


def test_a_served_chip_trains_like_the_object_itself():
    places, there = [], threading.Event()

    def ready(place):
        places.append(place)
        there.set()

    threading.Thread(target=asyt.serve, args=(Bench(), "127.0.0.1:0"), kwargs={"ready": ready}, daemon=True).start()
    assert there.wait(10)
    served = asyt.train("mesh:8x2", method="at", chip_address=places[0], **TASK)
    handed = asyt.train("mesh:8x2", Bench(), method="at", **TASK)
    for name in ("train_loss", "test_loss"):
        assert np.array_equal(served.metrics[name], handed.metrics[name])


def test_the_address_of_a_served_chip_is_free_again_after_ctrl_c():
    places = []
    for _ in range(2):
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            asyt.serve(Bench(), places[0] if places else "127.0.0.1:0", ready=places.append)
    assert places[0] == places[1]
