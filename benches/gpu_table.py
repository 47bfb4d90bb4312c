"""The tables and verdicts at the end of gpu.sh, from its JSON lines. Exits with 1 where a case failed or is missing."""

import json
import math
import sys

VARIANTS = ["Stream", "Lanes", "Blocks", "WholeByStream", "WholeByLanes", "WholeByBlocks"]
PRODUCTS = ["Blocks", "WholeByBlocks"]
AT, ADAPTIVE, MESH = "AT step, three meshes", "at-adaptive step, three meshes", "one mesh, forward and gradient"
ADJOINT, DENSE, REAL = "torch adjoint, complex64", "torch dense layer, complex64", "torch matrix product, f32"


class Numbers:
    """The lines of one call."""

    def __init__(self, path):
        with open(path) as file:
            self.lines = [json.loads(line) for line in file if line.startswith("{")]
        self.asked = self.lines[0]
        self.notes = [line["note"] for line in self.lines if "note" in line]

    def of(self, case, **where):
        return [
            line
            for line in self.lines
            if line.get("case") == case and all(line.get(key) == value for key, value in where.items())
        ]

    def measured(self, case, **where):
        return [line for line in self.of(case, **where) if "seconds" in line]

    def one(self, case, **where):
        """The line of a case that was measured, or nothing."""
        return next(iter(self.measured(case, **where)), None)

    def device(self):
        return next((line for line in self.lines if "device" in line), None)

    def peak(self):
        """The device's rate of real products in f32 (TFLOP/s), which torch has measured."""
        line = self.one(REAL)
        return line and line["tflops"]

    def missing(self):
        """Cases that were asked for and left no line."""
        wanted = [(case, {"modes": n}) for n in self.asked["modes"] for case in [AT, "products of a mesh"]]
        wanted += [(ADAPTIVE, {"modes": n, "phase": p}) for n in self.asked["modes"] for p in ["training", "measuring"]]
        wanted += [(MESH, {"modes": n, "variant": v}) for n in self.asked["modes"] for v in VARIANTS]
        wanted += [("memory", {"modes": n, "depth": n}) for n in self.asked["modes"] if n <= 1024]
        wanted += [("chips at once", {"modes": n, "chips": 50}) for n in self.asked["chips_modes"]]
        if not self.notes:
            wanted += [(case, {"modes": n}) for n in self.asked["torch_modes"] for case in [ADJOINT, DENSE]] + [(REAL, {})]
        found = [f"{case}, {where}" for case, where in wanted if not self.of(case, **where)]
        found += [] if self.of("mesh costs") else ["mesh costs"]
        return found + ([] if self.device() else ["matrix product and copy"])


def law(points):
    """Largest deviation of seconds from c N^2, c fitted in logarithms."""
    logs = [math.log(seconds / modes**2) for modes, seconds in points]
    mean = sum(logs) / len(logs)
    return max(abs(math.exp(value - mean) - 1) for value in logs)


def ms(line):
    """A time, or why there is none."""
    if line is None:
        return "-"
    if "seconds" in line:
        return f"{1e3 * line['seconds']:.2f}"
    return next(word for key, word in WHY.items() if key in line)


WHY = {"impossible": "impossible", "left_out": "left out", "error": "FAILED"}


def table(title, heads, rows):
    """Right-aligned columns."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *rows)]
    print(f"\n{title}")
    for row in [heads, *rows]:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths)).rstrip())


def steps(numbers):
    rows = []
    for line in numbers.of(AT):
        learned = [numbers.of(ADAPTIVE, modes=line["modes"], phase=phase) for phase in ["training", "measuring"]]
        cells = [ms(next(iter(found), None)) for found in learned]
        if "seconds" in line:
            memory = line["allocated_bytes"]
            at = [f"{line['tflops']:.3g}", f"{line['of_matrix_product']:.1%}"]
            losses = [f"{line[key]:.4f}" if line[key] is not None else "not finite" for key in ["first_loss", "last_loss"]]
            rows.append([line["modes"], ms(line), *at, *cells, f"{memory / 1e6:.1f}" if memory else "-", *losses])
        else:
            rows.append([line["modes"], ms(line), "-", "-", *cells, "-", "-", "-"])
    heads = ["modes", "at ms", "TFLOP/s", "of the product", "at-adaptive ms", "measuring ms", "MB", "first loss", "last loss"]
    table(f"A step of training, three meshes, batch {numbers.asked['batch']}", heads, rows)


def variants(numbers):
    rows = []
    for modes in numbers.asked["modes"]:
        lines = {line["variant"]: line for line in numbers.of(MESH, modes=modes)}
        timed = {name: line["seconds"] for name, line in lines.items() if "seconds" in line}
        fastest = min(timed, key=timed.get) if timed else "-"
        chosen = [next((name for name in lines if lines[name][key]), "-") for key in ["chosen", "chosen_by_default"]]
        rows.append([modes, *(ms(lines.get(name)) for name in VARIANTS), fastest, *chosen])
    heads = ["modes", *(f"{name} ms" for name in VARIANTS), "fastest", "chosen", "unmeasured"]
    table("One mesh, forward and gradient, with every kind of kernel", heads, rows)
    fastest = {row[-3] for row in rows}
    print("fastest nowhere: " + (", ".join(name for name in VARIANTS if name not in fastest) or "none"))


def expected(numbers):
    """How the model that chooses kernels fares with what was measured of the device."""
    rows = []
    for modes in numbers.asked["modes"]:
        lines = {line["variant"]: line for line in numbers.measured(MESH, modes=modes)}
        known = {name for name, line in lines.items() if line["expected_seconds"]}
        share = lambda name: f"{lines[name]['seconds'] / lines[name]['expected_seconds']:.2f}" if name in known else "-"
        rows.append([modes, *map(share, VARIANTS)])
    table("These times over what the choice of kernels expects", ["modes", *VARIANTS], rows)


def products(numbers):
    rows = []
    for modes in numbers.asked["modes"]:
        row = [modes]
        for variant in PRODUCTS:
            line = next(iter(numbers.of("products of a mesh", modes=modes, variant=variant)), None)
            row += [ms(line), f"{line['tflops']:.3g}" if line and "tflops" in line else "-"]
        rows.append(row)
    table("Products of one mesh alone", ["modes", "blocks ms", "TFLOP/s", "whole ms", "TFLOP/s"], rows)


def torch(numbers):
    if numbers.notes:
        print("\n" + "\n".join(numbers.notes))
        return
    rows = []
    for modes in numbers.asked["torch_modes"]:
        ours, adjoint = numbers.one(MESH, modes=modes, chosen=True), numbers.one(ADJOINT, modes=modes)
        dense = numbers.one(DENSE, modes=modes)
        ratio = lambda peer: f"{peer['seconds'] / ours['seconds']:.1f}" if ours and peer else "-"
        rows.append([modes, ms(ours), ms(adjoint), ratio(adjoint), ms(dense), ratio(dense)])
    heads = ["modes", "one mesh ms", "torch adjoint ms", "ratio", "torch dense layer ms", "ratio"]
    table("Beside torch in complex64, forward and gradient", heads, rows)
    line = numbers.one(REAL)
    if line:
        print(f"torch {line['torch']}, {line['torch_device']}: product in f32 {line['tflops']:.3g} TFLOP/s")


def chips(numbers):
    lines = numbers.of("chips at once")
    rows = [
        [line["engine"], line["modes"], line["chips"], line["samples"], f"{1e3 * line['in_turn_s']:.1f}"]
        + [f"{1e3 * line['at_once_s']:.1f}", f"{line['ratio']:.1f}", line["dispatches_in_turn"], line["dispatches_at_once"]]
        for line in lines
    ]
    heads = ["engine", "modes", "chips", "samples", "in turn ms", "at once ms", "ratio", "dispatches in turn", "at once"]
    table("Chips at once", heads, rows)


def memory(numbers):
    shown = lambda bytes: "-" if bytes is None else f"{bytes / 1e6:.2f}"
    rows = [
        [line["modes"], line["depth"], shown(line.get("allocated_bytes")), shown(line.get("beyond_one_sample"))]
        for line in numbers.of("memory")
    ]
    table("Memory of one mesh", ["modes", "depth", "MB in all", "MB beyond one sample"], rows)


def goal_share(numbers):
    step, peak = numbers.one(AT, modes=1024, batch=1024), numbers.peak()
    if not step or not peak:
        return None, "needs 1024 modes, batch 1024, and torch's product for the peak"
    return step["tflops"] / peak >= 0.25, f"{step['tflops'] / peak:.1%} of {peak:.1f} TFLOP/s"


def goal_4096(numbers):
    step = numbers.one(AT, modes=4096, batch=1024)
    if not step:
        failed = [line["error"] for line in numbers.of(AT, modes=4096) if "error" in line]
        return (False, failed[0]) if failed else (None, "needs 4096 modes")
    first, last = step["first_loss"], step["last_loss"]
    return None not in (first, last) and last < first, f"loss from {first} to {last}"


def goal_8192(numbers):
    lines = numbers.of(MESH, modes=8192)
    timed = [line["seconds"] for line in lines if "seconds" in line]
    failed = [line["error"] for line in lines if "error" in line and line["chosen"]]
    if timed and not failed:
        return True, f"{1e3 * min(timed):.0f} ms forward and gradient"
    return (False, failed[0]) if failed else (None, "needs 8192 modes")


def goal_torch(numbers):
    ratios = {}
    for peer in numbers.measured(ADJOINT):
        ours = numbers.one(MESH, modes=peer["modes"], chosen=True)
        if ours and peer["modes"] >= 256:
            ratios[peer["modes"]] = peer["seconds"] / ours["seconds"]
    if not ratios:
        return None, "needs torch, 256 modes or more"
    return min(ratios.values()) >= 20, ", ".join(f"{ratio:.1f}x at {modes}" for modes, ratio in ratios.items())


def goal_chips(numbers):
    device = numbers.device()
    hardware = device and not device["software"]
    ratios = {line["modes"]: line["ratio"] for line in numbers.of("chips at once") if not line["engine"].startswith("cpu")}
    if not hardware or not ratios:
        return None, "needs a hardware GPU"
    return min(ratios.values()) >= 5, ", ".join(f"{ratio:.1f}x at {modes} modes" for modes, ratio in ratios.items())


def goal_law(numbers):
    points = [(line["modes"], line["seconds"]) for line in numbers.measured(AT) if 256 <= line["modes"] <= 4096]
    if len(points) < 3:
        return None, "needs three sizes from 256 to 4096 modes"
    return law(points) <= 0.2, f"{law(points):.0%} at most from the fitted law, {len(points)} sizes"


def goal_products(numbers):
    device, peak = numbers.device(), numbers.peak()
    rates = {f"{line['variant']} at {line['modes']} modes": line["tflops"] for line in numbers.measured("products of a mesh", modes=1024)}
    if not peak or not rates or not device:
        return None, "needs 1024 modes, and torch's product for the peak"
    rates["matrix product"] = device["matrix_gflops"] / 1e3
    return min(rates.values()) / peak >= 0.6, ", ".join(f"{name} {rate / peak:.0%}" for name, rate in rates.items())


GOALS = [
    ("25 % of the f32 peak in effective flops, three 1024-mode meshes, batch 1024", goal_share),
    ("three 4096-mode meshes train", goal_4096),
    ("8192 modes in one mesh", goal_8192),
    ("20 times torch's adjoint at every size", goal_torch),
    ("fifty small chips five times faster at once", goal_chips),
    ("time of a step within 20 % of the N^2 law", goal_law),
    ("products at 60 % of the f32 peak", goal_products),
]


def verdicts(numbers):
    print("\nGoals")
    for goal, judge in GOALS:
        met, why = judge(numbers)
        print(f"{goal}: {'not measured' if met is None else 'met' if met else 'not met'} ({why})")


def main():
    numbers = Numbers(sys.argv[1])
    device = numbers.device()
    if device:
        rates = f"matrix product {device['matrix_gflops'] / 1e3:.3g} TFLOP/s, copy {device['copy_gbytes']:.3g} GB/s"
        print(f"{device['device']} ({device['driver']}): {rates}; commit {numbers.asked['commit']}, {numbers.asked['date']}")
    for part in [steps, variants, expected, products, torch, chips, memory, verdicts]:
        part(numbers)
    failed = [json.dumps(line) for line in numbers.lines if "error" in line]
    missing = numbers.missing()
    print("".join(f"\nFAILED: {line}" for line in failed) + "".join(f"\nMISSING: {case}" for case in missing))
    print(f"all numbers: {sys.argv[1]}")
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
