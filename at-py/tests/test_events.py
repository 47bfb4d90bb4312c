"""The event files of `log_dir`, read by TensorBoard itself."""

import csv
import os

import pytest

import asyt

event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is not installed")

SMALL = dict(train_limit=200, test_limit=100, chip_seed=3)


def scalars(folder):
    log = event_accumulator.EventAccumulator(os.fspath(folder))
    log.Reload()
    return {tag: [(event.step, event.value) for event in log.Scalars(tag)] for tag in log.Tags()["scalars"]}


def rows(run):
    with open(run / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_tensorboard_reads_every_step_of_every_method_once(tmp_path):
    run = tmp_path / "mine"
    asyt.train(method=["at", "spsa"], epochs=3, out=run, log_dir=tmp_path / "logs", progress=False, **SMALL)
    assert sorted(os.listdir(tmp_path / "logs")) == ["mine"]
    assert sorted(os.listdir(tmp_path / "logs" / "mine")) == ["at-chip-3", "spsa-chip-3"]
    # once more: everything is done, and nothing is logged twice
    asyt.train(resume=run, log_dir=tmp_path / "logs", progress=False)
    for method in ["at", "spsa"]:
        read = scalars(tmp_path / "logs" / "mine" / f"{method}-chip-3")
        own = [row for row in rows(run) if row["method"] == method]
        for tag, column in {
            "loss/train": "train_loss",
            "loss/test": "test_loss",
            "accuracy/test": "test_accuracy",
            "learning-rate": "learning_rate",
            "accesses/chip-reads": "chip_reads",
            "accesses/digital-passes": "digital_passes",
        }.items():
            expected = [(int(row["epoch"]), pytest.approx(float(row[column]), rel=1e-6)) for row in own]
            assert read[tag] == expected, tag
        assert [step for step, _ in read.get("misfit", [])] == ([3] if method == "at" else [])
        steps = read["loss/step"]
        assert [step for step, _ in steps] == list(range(1, len(steps) + 1)) and len(steps) % 3 == 0
        assert [step for step, _ in read["learning-rate/step"]] == [step for step, _ in steps]
        each = len(steps) // 3
        for row, first in zip(own, range(0, len(steps), each)):
            losses = [value for _, value in steps[first : first + each]]
            assert min(losses) <= float(row["train_loss"]) <= max(losses)
