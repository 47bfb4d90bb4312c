"""A chip on a simulated bench: two meshes of 8 modes in numpy, imperfect, which a trainer reaches by `program` and `send` alone.

python numpy_bench.py            trains it in this process
python numpy_bench.py serve      drives it for: asyt train --network mesh:8x2 --chip-command "python numpy_bench.py serve"
"""

import sys

import numpy as np

import asyt


class Bench:
    controls, inputs, outputs, complex = 128, 8, 8, True
    limits, period = (-10.0, 10.0), 2 * np.pi  # nothing else is ever written
    name = "two meshes of 8 modes in numpy"

    def __init__(self, errors):  # per mesh: angle errors of the couplers [28] each, phase errors [64] of θ, φ and γ
        self.errors, self.matrices = errors, []

    def program(self, c):
        self.matrices = [mesh(own, *errors) for own, errors in zip(np.split(c.astype(float), 2), self.errors)]

    def send(self, x):
        hidden = x @ self.matrices[0].T
        turn = np.pi / 2 + 0.025 * np.pi * abs(hidden) ** 2  # an electro-optic activation, driven by a tenth of the light
        hidden = 1j * np.sqrt(0.9) * np.exp(-1j * turn) * np.cos(turn) * hidden
        return abs(hidden @ self.matrices[1].T) ** 2


def coupler(delta):
    c, s = np.cos(np.pi / 4 + delta), np.sin(np.pi / 4 + delta)
    return np.array([[c, 1j * s], [1j * s, c]])


def mesh(c, first, second, phases):
    theta, phi, gamma = np.split(c + phases, [28, 56])
    U, mzi = np.eye(8, dtype=complex), 0
    for column in range(8):
        for row in range(column % 2, 7, 2):
            arms = [np.diag([np.exp(1j * phase[mzi]), 1]) for phase in (theta, phi)]
            U[row : row + 2] = coupler(second[mzi]) @ arms[0] @ coupler(first[mzi]) @ arms[1] @ U[row : row + 2]
            mzi += 1
    return np.exp(1j * gamma)[:, None] * U


if __name__ == "__main__":
    random = np.random.default_rng(1)
    bench = Bench([(*random.normal(0, 0.05, (2, 28)), random.normal(0, 0.3, 64)) for _ in range(2)])
    if sys.argv[1:] == ["serve"]:
        asyt.serve(bench)
    else:
        print(asyt.train("mesh:8x2", bench, "iris", method=["at-adaptive", "in-silico"], epochs=60, batch_size=10))
