"""The table at the end of gpu.sh, from its JSON lines."""

import json
import math
import sys


def law(points):
    """Largest deviation of seconds from c N^2, c fitted in logarithms, over sizes from 256 to 4096 (or all, where none is)."""
    chosen = [p for p in points if 256 <= p[0] <= 4096] or points
    logs = [math.log(seconds / modes**2) for modes, seconds in chosen]
    mean = sum(logs) / len(logs)
    return max(abs(math.exp(value - mean) - 1) for value in logs)


def main():
    lines = [json.loads(line) for line in open(sys.argv[1]) if line.startswith("{")]
    of = lambda case: [line for line in lines if line.get("case", "").startswith(case)]
    for line in lines:
        if "device" in line:
            print(f"{line['device']}: matrix product {line['matrix_gflops'] / 1e3:.2f} TFLOP/s, copy {line['copy_gbytes']:.0f} GB/s")
        if "error" in line:
            print("FAILED:", line)
    print("\nAT step, three meshes\n modes  batch       ms  TFLOP/s  of the product  GB")
    for line in of("AT step"):
        memory = (line["allocated_bytes"] or math.nan) / 1e9
        print(
            f"{line['modes']:6} {line['batch']:6} {1e3 * line['seconds']:8.2f} {line['tflops']:8.2f}"
            f" {line['of_measured_peak']:14.1%} {memory:5.2f}"
        )
    points = [(line["modes"], line["seconds"]) for line in of("AT step")]
    if points:
        print(f"largest deviation from the fitted N^2 law: {law(points):.0%}")
    torch = {line["modes"]: line["seconds"] for line in of("torch")}
    print("\none mesh, forward and gradient\n modes       ms  TFLOP/s  torch ms  ratio")
    for line in of("one mesh"):
        peer = torch.get(line["modes"])
        text = f"{1e3 * peer:9.2f} {peer / line['seconds']:6.1f}" if peer else "        -      -"
        print(f"{line['modes']:6} {1e3 * line['seconds']:8.2f} {line['tflops']:8.2f} {text}")
    print("\nmemory of one mesh beyond that for one sample\n modes  depth    MB")
    for line in of("memory"):
        beyond = math.nan if line["beyond_one_sample"] is None else line["beyond_one_sample"] / 1e6
        print(f"{line['modes']:6} {line['depth']:6} {beyond:5.0f}")
    print(f"\nall numbers: {sys.argv[1]}")


if __name__ == "__main__":
    main()
