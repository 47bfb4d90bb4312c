"""What `asyt export` writes means in numpy what it meant in the program."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPLAY = Path(__file__).parents[2] / "tests" / "replay_export.py"
SAMPLES = 360


def program(*arguments):
    ended = subprocess.run([sys.executable, "-m", "asyt", *map(str, arguments)], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay")
    train = ["train", "--network", "mesh:16x3", "--encoding", "fourier-crop:4", "--method", "ideal", "--epochs", 4, "--quiet"]
    for chip in ("ideal", "mesh"):
        program(*train, "--chip", chip, "--out", folder / chip, "--save-chip", folder / f"{chip}.npz")
    return folder


def replayed(run, chip, convention, *more):
    out = run / f"{chip}-{convention}"
    pieces = ["--only", "phases,samples,predictions", "--samples", f"0-{SAMPLES - 1}"]
    program("export", run / chip, "--convention", convention, *pieces, "--out", out, "--quiet")
    ended = subprocess.run([sys.executable, REPLAY, out / "ideal", *more], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    summary = json.loads((run / chip / "summary.json").read_text())
    return json.loads(ended.stdout), summary["results"][0]["final_test_accuracy"]


@pytest.mark.parametrize("convention", ["native", "neurophox", "dat-mpnn"])
def test_phases_of_every_convention_give_the_accuracy_of_the_run(run, convention):
    answer, accuracy = replayed(run, "ideal", convention)
    assert answer["samples"] == SAMPLES and answer["convention"] == convention
    # between doubles there and floats here a sample may lie
    assert abs(answer["accuracy"] - accuracy) < 1.5 / SAMPLES and answer["as_the_program"] > 1 - 1.5 / SAMPLES
    assert accuracy > 0.3, "nothing was learned that could be replayed"


def test_phases_and_a_chip_file_give_the_accuracy_of_that_chip(run):
    answer, accuracy = replayed(run, "mesh", "native", "--chip-file", run / "mesh.npz")
    assert abs(answer["accuracy"] - accuracy) < 1.5 / SAMPLES and answer["as_the_program"] > 1 - 1.5 / SAMPLES
    perfect, _ = replayed(run, "mesh", "native")
    assert perfect["as_the_program"] < 0.99, "the chip's errors do nothing"
