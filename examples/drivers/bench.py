#!/usr/bin/env python3
"""A bench in numpy: one imperfect mesh of four modes, driven over standard input and output.

The protocol is docs/chip-protocol.md; tests/drivers.rs speaks to it. Replace `program` and `send` by what your laboratory does.
"""
import json, sys, zlib
import numpy as np

MODES = 4
MZIS = [(column, mode) for column in range(MODES) for mode in range(column % 2, MODES - 1, 2)]
random = np.random.default_rng(1)
COUPLERS = random.normal(0, 0.05, (len(MZIS), 2))  # angle errors, rad
PHASES = random.normal(0, 0.1, (len(MZIS), 2))  # phase errors, rad
CHIP = dict(protocol=1, name="numpy bench", controls=2 * len(MZIS) + MODES, unit="rad", limits=[0, 2 * np.pi], period=2 * np.pi,
            inputs=2 * MODES, complex=True, outputs=MODES, layers=[MODES], access=["output"])
CHIP["largest-batch"] = 500
matrix = np.eye(MODES)


def coupler(error):
    c, s = np.cos(np.pi / 4 + error), np.sin(np.pi / 4 + error)
    return np.array([[c, 1j * s], [1j * s, c]])


def program(controls):
    """Controls: θ of every MZI, φ of every MZI, γ of every output."""
    global matrix
    theta, phi, gamma = np.split(controls.astype(float), [len(MZIS), 2 * len(MZIS)])
    matrix = np.eye(MODES, dtype=complex)
    for (_, mode), t, p, split, error in zip(MZIS, theta, phi, COUPLERS, PHASES):
        mzi = coupler(split[1]) @ np.diag([np.exp(1j * (t + error[0])), 1]) @ coupler(split[0]) @ np.diag([np.exp(1j * (p + error[1])), 1])
        matrix[mode:mode + 2] = mzi @ matrix[mode:mode + 2]
    matrix = np.exp(1j * gamma)[:, None] * matrix


def send(fields):
    """fields [batch, inputs] of (re, im) → powers [batch, outputs]"""
    return np.abs(np.ascontiguousarray(fields).view(np.complex64) @ matrix.T) ** 2


def answer(number, message, array=None, **rest):
    data = b"" if array is None else np.asarray(array, "<f4").tobytes()
    line = dict(message=message, number=number, bytes=len(data), check=zlib.crc32(data), **rest)
    sys.stdout.buffer.write(json.dumps(line).encode() + b"\n" + data)
    sys.stdout.buffer.flush()


while line := sys.stdin.buffer.readline():
    request = json.loads(line)
    array = np.frombuffer(sys.stdin.buffer.read(request.get("bytes", 0)), "<f4")
    number, message = request["number"], request["message"]
    if message == "hello":
        answer(number, "chip", **CHIP)
    elif message == "program":
        program(array)
        answer(number, "done")
    elif message == "send":
        answer(number, "readout", send(array.reshape(request["batch"], CHIP["inputs"])))
    elif message == "end":
        break
    else:
        answer(number, "fault", text=f"this bench knows no {message}")
