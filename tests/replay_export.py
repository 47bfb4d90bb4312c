"""Replays what `asyt export` wrote, in numpy alone: phases, fields of test samples and classes in, accuracy out.

    asyt export RUN --method ideal --convention neurophox --only phases,samples,predictions --samples 0-9999 --out there
    python tests/replay_export.py there/ideal                          # the phases on a perfect chip
    python tests/replay_export.py there/ideal --chip-file chip.npz     # native convention, on the chip of --save-chip

For networks of meshes with the published electro-optic activation between them and intensities read at the end. It shares no code
with the program: each convention is its own formula of docs/conventions.md. Prints one JSON object.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np


def columns(modes):
    """The upper rows of the interferometers of a rectangular mesh, column by column."""
    return [range(column % 2, modes - 1, 2) for column in range(modes)]


def coupler(error):
    """B(δ) = [[c, i s], [i s, c]], angles from π/4 on."""
    c, s = np.cos(np.pi / 4 + error), np.sin(np.pi / 4 + error)
    return np.array([[c, 1j * s], [1j * s, c]])


def native(fields, phases, errors):
    """y = diag(e^{iγ}) · columns, φ on the upper input, θ on the upper arm."""
    theta, phi, gamma = phases
    y = fields.T.copy()
    number = 0
    for column, uppers in enumerate(columns(len(y))):
        for i in uppers:
            first, second, of_theta, of_phi = (vector[number] for vector in errors[:4])
            number += 1
            arm = np.diag([np.exp(1j * (theta[column, i // 2] + of_theta)), 1])
            enter = np.diag([np.exp(1j * (phi[column, i // 2] + of_phi)), 1])
            y[i : i + 2] = coupler(second) @ arm @ coupler(first) @ enter @ y[i : i + 2]
    return (np.exp(1j * (gamma + errors[4]))[:, None] * y).T


def theirs(fields, phases):
    """γ at the inputs, θ in both arms, φ on the upper output; the edge rails of odd columns of an even mesh turn by -i."""
    theta, phi, gamma = phases
    y = np.exp(1j * gamma)[:, None] * fields.T
    for column, uppers in enumerate(columns(len(y))):
        for i in uppers:
            half = theta[column, i // 2] / 2
            arms = np.diag([np.exp(1j * half), np.exp(-1j * half)])
            leave = np.diag([np.exp(1j * phi[column, i // 2]), 1])
            y[i : i + 2] = leave @ coupler(0) @ arms @ coupler(0) @ y[i : i + 2]
        if len(y) % 2 == 0 and column % 2 == 1:
            y[[0, -1]] *= -1j
    return y.T


def electro_optic(z, tap=0.1, gain=0.05 * np.pi, bias=np.pi):
    """f = i√(1-α) e^{-iψ/2} cos(ψ/2) z with ψ = g|z|² + φ_b."""
    half = (gain * np.abs(z) ** 2 + bias) / 2
    return 1j * np.sqrt(1 - tap) * np.exp(-1j * half) * np.cos(half) * z


def chip_errors(file, mesh, stage, modes):
    """First and second couplers, errors of θ, φ and γ of one mesh of a chip file."""
    count = modes * (modes - 1) // 2
    zeros = np.zeros(count)
    phases = file[f"stage{stage}.phases"] if f"stage{stage}.phases" in file else np.zeros(2 * count + modes)
    couplers = [file[f"stage{stage}.{name}"] if f"stage{stage}.{name}" in file else zeros for name in ("first_coupler", "second_coupler")]
    return [*couplers, phases[:count], phases[count : 2 * count], phases[2 * count :]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chip-file", type=Path)
    arguments = parser.parse_args()
    phases = np.load(arguments.folder / "phases.npz")
    samples = np.load(arguments.folder / "samples.npz")
    convention = str(phases["convention"])
    chip = np.load(arguments.chip_file) if arguments.chip_file else None
    if chip is not None and convention != "native":
        parser.error("the errors of a chip file are in the native convention; export the phases so")
    meshes = sum(name.endswith(".theta") for name in phases.files)
    fields = samples["input"].astype(complex)
    modes = fields.shape[1]
    for mesh in range(meshes):
        own = [phases[f"mesh{mesh}.{name}"].reshape(-1 if name == "gamma" else (modes, -1)) for name in ("theta", "phi", "gamma")]
        if convention == "native":
            stage = 2 * mesh  # an activation stands between two meshes
            count = modes * (modes - 1) // 2
            errors = [np.zeros(count)] * 4 + [np.zeros(modes)] if chip is None else chip_errors(chip, mesh, stage, modes)
            fields = native(fields, own, errors)
        else:
            fields = theirs(fields, own)
        if mesh + 1 < meshes:
            fields = electro_optic(fields)
    with open(arguments.folder / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    classes = sum(name.startswith("logit") for name in rows[0])
    predicted = np.argmax(np.abs(fields[:, :classes]) ** 2, axis=1)
    wanted = np.array([int(rows[sample]["class"]) for sample in samples["sample"]])
    told = np.array([int(rows[sample]["predicted"]) for sample in samples["sample"]])
    print(json.dumps({
        "convention": convention,
        "samples": len(wanted),
        "accuracy": float(np.mean(predicted == wanted)),
        "as_the_program": float(np.mean(predicted == told)),
    }))


if __name__ == "__main__":
    main()
