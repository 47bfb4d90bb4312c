"""Trainings from Python: the program's numbers, its words, and an end when somebody wants one."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

import asyt

warnings.simplefilter("ignore", asyt.Note)

SMALL = dict(method=["at", "ideal"], epochs=2, train_limit=200, test_limit=100, chip_seed=3)


def program(*arguments):
    """The command of the wheel, without it being installed."""
    return subprocess.run([sys.executable, "-m", "asyt", *map(str, arguments)], capture_output=True, text=True)


def table(folder):
    """metrics.csv without its times, which no two runs share."""
    lines = [line.split(",") for line in (folder / "metrics.csv").read_text().splitlines()]
    times = lines[0].index("wall_seconds")
    return [line[:times] + line[times + 1 :] for line in lines]


@pytest.mark.parametrize("network", [None, "mesh:16x2"])
@pytest.mark.parametrize("precision", ["f32", "f64"])
def test_a_training_ends_with_the_bits_of_the_program(tmp_path, network, precision):
    run = asyt.train(network, **SMALL, precision=precision, engine="cpu", out=tmp_path / "python", progress=False)
    flags = ["--method", "at,ideal", "--epochs", 2, "--train-limit", 200, "--test-limit", 100, "--chip-seed", 3]
    flags += ["--engine", "cpu", "--precision", precision, "--out", tmp_path / "program", "--quiet"]
    ended = program("train", *flags, *(["--network", network] if network else []))
    assert ended.returncode == 0, ended.stderr
    assert table(tmp_path / "python") == table(tmp_path / "program")
    assert (tmp_path / "python/config.toml").read_text() == (tmp_path / "program/config.toml").read_text()
    other = asyt.open_run(tmp_path / "program")
    for method in ("at", "ideal"):
        assert run.checkpoint(method).read_bytes() == other.checkpoint(method).read_bytes()
        assert np.array_equal(run.controls(method), other.controls(method))


def test_arrays_train_as_the_data_set_that_they_come_from():
    digits = asyt.load("digits", train_limit=200, test_limit=100)
    named = asyt.train(data=digits, method="at", epochs=2, progress=False, encoding="raw")
    arrays = asyt.arrays(digits.x_train, digits.y_train, digits.x_test, digits.y_test, image=digits.image)
    given = asyt.train(data=arrays, method="at", epochs=2, progress=False, encoding="raw")
    for name in ("train_loss", "test_loss", "test_accuracy", "chip_reads"):
        assert np.array_equal(named.metrics[name], given.metrics[name]), name
    assert np.array_equal(named.confusion(), given.confusion())


def test_images_of_arrays_and_of_files_are_the_same_held_or_not(tmp_path):
    x = np.random.default_rng(2).integers(0, 256, (200, 40, 50, 3), dtype=np.uint8)
    y = np.arange(200) % 2
    np.savez(tmp_path / "colours.npz", x_train=x[:150], y_train=y[:150], x_test=x[150:], y_test=y[150:])
    held = asyt.load(tmp_path / "colours.npz", data_memory=100)
    stored = asyt.load(tmp_path / "colours.npz", data_memory=1)
    arrays = asyt.arrays(x[:150], y[:150], x[150:], y[150:])
    assert held.image == stored.image == arrays.image == (3, 40, 50)
    assert (held.stored, stored.stored) == (False, True)
    for data in (stored, arrays):
        assert np.array_equal(held.x_train, data.x_train) and np.array_equal(held.y_test, data.y_test)
    assert np.array_equal(held.x_train[3].reshape(3, 40, 50), np.moveaxis(x[3], -1, 0) / np.float32(255))
    assert repr(stored) == "<asyt.Data colours: 150 training and 50 test samples>"
    options = dict(method="ideal", network="mesh:in", encoding="pool:2", epochs=1, batch_size=50, progress=False)
    runs = [asyt.train(data=data, **options) for data in (held, stored, arrays)]
    for run in runs[1:]:
        assert np.array_equal(runs[0].metrics["test_loss"], run.metrics["test_loss"])


def test_samples_sorted_by_class_are_tested_on_every_class():
    x, y = np.random.default_rng(1).random((100, 4)), np.arange(100) // 25
    data = asyt.arrays(x, y)
    assert np.array_equal(np.bincount(data.y_test), [5, 5, 5, 5]) and np.array_equal(np.bincount(data.y_train), [20, 20, 20, 20])
    again = asyt.arrays(x, y)
    assert np.array_equal(data.x_test, again.x_test)
    # what is apart is apart: every sample once
    every = np.concatenate([data.x_train, data.x_test])
    assert len(np.unique(every, axis=0)) == 100
    with pytest.raises(asyt.UsageError, match="x holds 100 samples and y 99"):
        asyt.arrays(x, y[:99])


def test_files_of_arrays_train_as_the_arrays_do(tmp_path):
    random = np.random.default_rng(2)
    x, y = random.normal(size=(60, 4)) + 1j * random.normal(size=(60, 4)), np.arange(60) % 3
    np.savez(tmp_path / "fields.npz", x=x, y=y, target_names=np.array(["a", "b", "c"]))
    loaded = asyt.load(tmp_path / "fields.npz", split="0.7:3")
    assert loaded.x_train.dtype == np.complex64 and loaded.class_names == ["a", "b", "c"]
    assert (len(loaded.x_train), len(loaded.x_test)) == (42, 18) and np.bincount(loaded.y_test).tolist() == [6, 6, 6]
    rows = np.concatenate([loaded.x_train, loaded.x_test])
    assert np.array_equal(np.sort_complex(rows[:, 0]), np.sort_complex(x[:, 0].astype(np.complex64)))
    options = dict(encoding="raw", method="ideal", epochs=2, batch_size=7, progress=False)
    named = asyt.train("mesh:4", data=loaded, **options)
    arrays = asyt.arrays(loaded.x_train, loaded.y_train, loaded.x_test, loaded.y_test)
    given = asyt.train("mesh:4", data=arrays, **options)
    assert np.array_equal(named.metrics["test_loss"], given.metrics["test_loss"])
    with pytest.raises(asyt.UsageError, match="takes real numbers, but the features of fields are complex"):
        asyt.train("matrix:in-out", data=loaded, **options)


def test_a_split_and_a_scale_are_settings_of_arrays_too(tmp_path):
    x, y = np.random.default_rng(3).normal(size=(50, 4)) * [1, 10, 100, 1000], np.arange(50) % 2
    options = dict(method="ideal", epochs=1, batch_size=5, progress=False)
    data = asyt.arrays(x, y, split="0.6:1")
    assert (len(data.x_train), len(data.x_test)) == (30, 20)
    scaled = asyt.train("bank:in-out", data=data, scale="standard", **options)
    plain = asyt.train("bank:in-out", data=(x, y), split="0.6:1", **options)
    assert not np.array_equal(scaled.metrics["test_loss"], plain.metrics["test_loss"])
    assert scaled.confusion().sum() == 20 and plain.confusion().sum() == 20
    with pytest.raises(asyt.UsageError, match="two parts already"):
        asyt.train("bank:in-out", data=data, split="0.6", **options)
    with pytest.raises(asyt.UsageError, match="split = 60"):
        asyt.arrays(x, y, split=60)


def test_what_is_exported_is_what_numpy_reads(tmp_path):
    run = asyt.train("mesh:8x2", chip="silicon", data="iris", method=["ideal"], epochs=2, progress=False)
    files = run.export(tmp_path / "out", only=["phases", "operators", "predictions"], convention="neurophox")
    assert {path.name for path in files} == {"phases.npz", "phases.csv", "operators.npz", "predictions.csv", "confusion.csv"}
    (first, second) = asyt.read_phases(tmp_path / "out/ideal/phases.npz")
    turned = np.concatenate([first.values, second.values]) - run.controls()  # by whole turns, which another convention takes off
    assert np.allclose(np.exp(1j * turned), 1)
    operators = np.load(tmp_path / "out/ideal/operators.npz")
    assert np.allclose(asyt.matrix(second), operators["mesh1.design"])
    assert not np.allclose(operators["mesh1.design"], operators["mesh1.chip"])
    counts = np.loadtxt(tmp_path / "out/ideal/confusion.csv", delimiter=",", skiprows=1, usecols=(1, 2, 3))
    assert np.array_equal(counts, run.confusion())


def test_a_result_shows_what_the_summary_says():
    run = asyt.train(**SMALL, progress=False)
    accuracy = run.results[0]["final_test_accuracy"]
    counts = run.confusion("at")
    assert counts.sum() == 100 and counts.trace() / 100 == pytest.approx(accuracy)
    assert run["at"]["epoch"].tolist() == [1, 2] and run.score == "accuracy"
    page = run._repr_html_()
    assert "<svg" in page and f"{accuracy:.4f}" in page
    with pytest.raises(asyt.UsageError, match="none of this run; it has at, ideal"):
        run["pat"]


def test_real_targets_are_judged_by_r_squared():
    x = np.random.default_rng(1).normal(size=(100, 6))
    run = asyt.train("bank:in-out", data=(x, x[:, :2] + 0.1), method="ideal", epochs=3, batch_size=10, progress=False)
    assert run.score == "r_squared" and len(run.metrics["test_r_squared"]) == 3
    with pytest.raises(asyt.UsageError, match="real"):
        run.confusion()


@pytest.mark.parametrize(
    "request_, words",
    [
        (dict(learnin_rate=0.1), "did you mean learning-rate"),
        (dict(method="attt"), "unknown method"),
        (dict(epochs=0), "epochs = 0"),
        (dict(data="digitz"), "did you mean digits"),
        (dict(network="mesh:0"), "mesh"),
        (dict(epochs="many"), "epochs"),
        (dict(data=(np.zeros((4, 2)), np.zeros(4, dtype=complex))), "labels of classes"),
        (dict(data=(np.full((20, 2), np.nan), np.arange(20) % 2)), "finite"),
        (dict(data=(np.zeros((20, 2)), -np.ones(20, dtype=int))), "labels from 0"),
        (dict(resume="nowhere"), "no run to resume"),
        (dict(resume="nowhere", epochs=3), "drop epochs"),
    ],
)
def test_what_makes_no_sense_is_an_exception_with_the_words_of_the_program(request_, words):
    with pytest.raises(asyt.UsageError, match=words):
        asyt.train(progress=False, **request_)


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(asyt.RunError, match="not empty"):
        asyt.train(method="at", epochs=1, out=tmp_path, progress=False)
    assert (tmp_path / "mine").read_text() == "keep"


def test_the_interpreter_is_free_while_a_chip_is_trained():
    counted, over = [0], threading.Event()

    def count():
        while not over.is_set():
            counted[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    asyt.train(method="at", epochs=20, progress=False)
    over.set()
    thread.join()
    assert counted[0] > 3


def test_ctrl_c_stops_after_the_step_and_resume_ends_with_the_same_bits(tmp_path):
    settings = dict(method="at", epochs=60, engine="cpu")
    whole = asyt.train(**settings, out=tmp_path / "whole", progress=False)
    script = f"import asyt; asyt.train(method='at', epochs=60, engine='cpu', out={str(tmp_path / 'cut')!r}, progress=False)"
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    waited = time.monotonic() + 60
    while not (tmp_path / "cut/at.safetensors").exists():
        assert process.poll() is None and time.monotonic() < waited
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert "KeyboardInterrupt" in said and process.returncode != 0
    assert not (tmp_path / "cut/summary.json").exists(), "it was over before it could be stopped"
    resumed = asyt.train(resume=tmp_path / "cut", progress=False)
    for name in ("train_loss", "test_loss", "test_accuracy"):
        assert np.array_equal(whole.metrics[name], resumed.metrics[name]), name


def test_what_a_listener_raises_ends_the_training(tmp_path, monkeypatch):
    from asyt import _run

    class Fails(_run.Progress):
        def __call__(self, notes, at, batch, last):
            if at is not None:
                raise ZeroDivisionError("told")

    monkeypatch.setattr(_run, "Progress", Fails)
    with pytest.raises(ZeroDivisionError, match="told"):
        asyt.train(method="at", epochs=500, out=tmp_path / "run", progress=False)
    assert not (tmp_path / "run/summary.json").exists()


def test_doubts_come_as_warnings():
    with pytest.warns(asyt.Note, match="at chance"):
        run = asyt.train(method="at", epochs=1, learning_rate=1e-9, progress=False)
    assert any("at chance" in note for note in run.notes)


def test_the_command_line_comes_with_the_package(tmp_path):
    assert program("--version").stdout.startswith("asyt ")
    wrong = program("train", "--method", "none")
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: ")


def test_a_comparison_trains_every_chip_of_its_kind(tmp_path):
    report = asyt.compare("bank:in-12-out", data="iris", method=["at", "ideal"], chips=2, epochs=2, batch_size=10, out=tmp_path / "c")
    assert (tmp_path / "c/compare.json").exists() and "<svg" in report._repr_html_()
    assert "ideal" in str(report)
    with pytest.raises(asyt.UsageError, match="arrays"):
        asyt.compare(data=(np.eye(10), np.arange(10) % 2))
    with pytest.raises(asyt.UsageError, match="did you mean"):
        asyt.compare(method="ad")


def test_ctrl_c_ends_a_comparison_of_which_the_folder_keeps_what_is_done(tmp_path):
    settings = "data='iris', network='bank:in-12-out', method=['at', 'ideal'], chips=3, epochs=2000, batch_size=10, jobs=1"
    script = f"import asyt; asyt.compare({settings}, out={str(tmp_path / 'c')!r})"
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    waited = time.monotonic() + 60
    while not list((tmp_path / "c").glob("cells/*/*.safetensors")):
        assert process.poll() is None and time.monotonic() < waited
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=30)[1]
    assert not (tmp_path / "c/compare.json").exists() and (tmp_path / "c/request.json").exists()


def test_arrays_on_a_mesh_get_defaults_that_fit_them():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 60)
    x = rng.random((60, 4)) + y[:, None]
    run = asyt.train("mesh:4x1", data=(x, y), method="ideal", epochs=2, batch_size=10, progress=False)
    assert 'encoding = "amplitude:4"' in (run.folder / "config.toml").read_text()


def test_what_a_failed_run_has_kept_is_still_there():
    with pytest.raises(asyt.RunError) as raised:
        asyt.train("matrix:in-4-out", data="iris", method="at", epochs=3, learning_rate=1e30, optimizer="sgd", batch_size=10, progress=False)
    folder = str(raised.value).rsplit("kept in ", 1)[1].strip()
    assert os.path.isdir(folder), str(raised.value)
    shutil.rmtree(os.path.dirname(folder))


def test_a_mistyped_setting_of_a_comparison_is_answered_with_the_nearest():
    with pytest.raises(asyt.UsageError, match="learning-rate"):
        asyt.compare("matrix:in-4-out", data="iris", learning_rte=0.1)
