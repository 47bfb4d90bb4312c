#!/usr/bin/env python3
"""A skeleton of a driver for a laboratory: lines marked LAB are where its own calls go.

    asyt chip check --chip-command 'python3 visa.py' --picture look.svg
    asyt train --chip-command 'python3 visa.py' --network mesh:8 --dataset DIR --method at-adaptive

As it stands it drives nothing: `Instruments` stands for a source of voltages, a bank of modulators and a bank of detectors, and fails at
once with what is missing. The protocol is docs/chip-protocol.md.
"""
import json, sys, time, zlib
import numpy as np

# import pyvisa, serial            # LAB: whatever speaks to the instruments

MODES = 8
CONTROLS = 2 * (MODES * (MODES - 1) // 2) + MODES  # θ of every MZI, φ of every MZI, γ of every output
SETTLE_MS = 2.0  # LAB: heaters need so long
V_PI = 4.36  # LAB: volts for a phase of π, one per heater where they were measured


class Instruments:
    def __init__(self):
        # LAB: self.voltages = pyvisa.ResourceManager().open_resource("TCPIP0::10.0.0.5::inst0::INSTR")
        # LAB: self.detectors = serial.Serial("/dev/ttyUSB0", 115200, timeout=2)
        raise RuntimeError("this skeleton knows no instruments yet: see the lines marked LAB")

    def write(self, volts):
        """Sets every voltage."""  # LAB: self.voltages.write_binary_values("SOUR:LIST ", volts, datatype="d")

    def read(self, field):
        """Lights the chip with one complex field [MODES] and reads its powers [MODES]."""  # LAB: modulators, then detectors

    def rest(self):
        """Brings everything to rest."""  # LAB: self.voltages.write("OUTP:ALL OFF")


def volts(phases):
    """Phase goes with power: φ = π (V / V_π)²."""
    return V_PI * np.sqrt(np.mod(phases, 2 * np.pi) / np.pi)


CHIP = {"protocol": 1, "name": "my chip", "controls": CONTROLS, "unit": "rad", "limits": [0, 6.28], "period": 2 * np.pi, "inputs": 2 * MODES,
        "complex": True, "outputs": MODES, "largest-batch": 100, "settle-ms": SETTLE_MS, "access": ["output"]}


def answer(number, message, array=None, **rest):
    data = b"" if array is None else np.asarray(array, "<f4").tobytes()
    line = dict(message=message, number=number, bytes=len(data), check=zlib.crc32(data), **rest)
    sys.stdout.buffer.write(json.dumps(line).encode() + b"\n" + data)
    sys.stdout.buffer.flush()


def handle(bench, request, array):
    message = request["message"]
    start = time.perf_counter()
    busy = lambda: 1e3 * (time.perf_counter() - start)
    if message == "hello":
        return "chip", None, CHIP
    if message == "program":
        bench.write(volts(array.astype(float)))
        time.sleep(SETTLE_MS * 1e-3)
        return "done", None, {"busy-ms": busy()}
    if message == "send":
        fields = np.ascontiguousarray(array).view(np.complex64).reshape(request["batch"], MODES)
        powers = np.array([bench.read(field) for field in fields])
        return "readout", powers, {"busy-ms": busy()}
    raise RuntimeError(f"this bench knows no {message}")


def main():
    bench = None
    try:
        while line := sys.stdin.buffer.readline():
            request = json.loads(line)
            array = np.frombuffer(sys.stdin.buffer.read(request.get("bytes", 0)), "<f4")
            if request["message"] == "end":
                break
            try:
                bench = bench or Instruments()
                message, array, rest = handle(bench, request, array)
                answer(request["number"], message, array, **rest)
            except Exception as fault:  # the run ends with this text, and its last checkpoint stays
                answer(request["number"], "fault", text=str(fault))
    finally:
        # also where the program was killed and its pipe just ends
        if bench:
            bench.rest()


main()
