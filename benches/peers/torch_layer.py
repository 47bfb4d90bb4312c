"""What PyTorch adds to the gradient of a mesh: `asyt.torch.Mesh` beside the call of Rust that it stands on, in turns.

    rust        mesh_gradient: controls programmed, the batch through the mesh and its detectors, the readouts' error back to dL/d(controls)
    asyt-torch  the same without detectors: new controls, y = layer(x), y.backward(error), the error of the fields given, x without a gradient
    with loss   the same with detectors and L = sum of error * |y|^2 as operations of PyTorch, which are none of the layer's
    empty       an autograd.Function of the same signature that allocates what leaves and the gradient, and computes nothing: PyTorch's own share

Every round times each of the four so many times, one after the other, in processes that live through all rounds (Rust's is begun anew);
all have so many threads (RAYON_NUM_THREADS, OMP_NUM_THREADS). "least" is the least of all times, "median" the median of the rounds'
medians; a ratio is told of both. Controls are moved between two times, so that both sides program the mesh each time.

usage: python benches/peers/torch_layer.py EXAMPLE [--modes 64] [--batch 256] [--rounds 15] [--count 300] [--threads N]
EXAMPLE is target/release/examples/mesh_gradient; benches/peers/mesh.py builds it and shows this table below its own.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

KINDS = ["empty", "asyt-torch", "with loss"]


def gradients(modes, batch):
    """What is timed, by name, and what moves the controls between two times."""
    import torch

    import asyt.torch

    layer = asyt.torch.Mesh(modes)
    x = torch.randn(batch, modes, dtype=torch.complex64, generator=torch.Generator().manual_seed(1))
    error = torch.randn_like(x)
    weights = error.real.contiguous()

    class Empty(torch.autograd.Function):
        @staticmethod
        def forward(ctx, fields, controls, model, outputs):
            ctx.kept = fields.detach(), controls.detach()
            return torch.empty((fields.shape[0], outputs), dtype=fields.dtype)

        @staticmethod
        def backward(ctx, error):
            return None, torch.empty_like(ctx.kept[1]), None, None

    class Nothing(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.controls = torch.nn.Parameter(layer.controls.detach().clone())

        def forward(self, fields):
            return Empty.apply(fields, self.controls, None, modes)

    nothing = Nothing()

    def alone(module):
        module.controls.grad = None
        module(x).backward(error)

    def with_loss():
        layer.controls.grad = None
        y = torch.view_as_real(layer(x))
        (weights * (y * y).sum(-1)).sum().backward()

    def move():
        with torch.no_grad():
            layer.controls.add_(1e-4)

    return {"empty": lambda: alone(nothing), "asyt-torch": lambda: alone(layer), "with loss": with_loss}, move


def serve(modes, batch):
    """Times what is asked for, a line each: `COUNT KIND`."""
    known, move = gradients(modes, batch)
    for line in sys.stdin:
        count, kind = line.strip().split(" ", 1)
        times = []
        for _ in range(int(count)):
            move()
            begin = time.perf_counter()
            known[kind]()
            times.append(time.perf_counter() - begin)
        print(json.dumps({"best": min(times), "median": statistics.median(times)}), flush=True)


def compare(python, example, modes, batch, rounds, count, threads):
    """Times all four in turns and prints the table."""
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    words = [python, __file__, "--serve", str(modes), str(batch)]
    server = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    found = {kind: [] for kind in ["rust", *KINDS]}
    for _ in range(rounds):
        rust = subprocess.run([example, str(batch), str(count), str(modes)], env=environment, check=True, stdout=subprocess.PIPE)
        found["rust"].append(json.loads(rust.stdout))
        for kind in KINDS:
            server.stdin.write(f"{count} {kind}\n")
            server.stdin.flush()
            found[kind].append(json.loads(server.stdout.readline()))
    server.stdin.close()
    server.wait()
    least = {kind: min(own["best"] for own in all_) for kind, all_ in found.items()}
    median = {kind: statistics.median(own["median"] for own in all_) for kind, all_ in found.items()}
    print(f"\n{modes} modes, batch {batch}, {threads} threads: {rounds} rounds of {count}")
    print(f"{'':12}{'least, ms':>11}{'median, ms':>12}{'times rust':>16}{'times rust + empty':>22}")
    for kind in found:
        ratios = [[own[kind] / (own["rust"] + floor * own["empty"]) for own in (least, median)] for floor in (0, 1)]
        shown = [f"{one:.2f} .. {other:.2f}" for one, other in ratios]
        print(f"{kind:12}{1e3 * least[kind]:11.3f}{1e3 * median[kind]:12.3f}{shown[0]:>16}{shown[1]:>22}", flush=True)


def main():
    if sys.argv[1:2] == ["--serve"]:
        return serve(*map(int, sys.argv[2:4]))
    parser = argparse.ArgumentParser()
    parser.add_argument("example")
    parser.add_argument("--modes", type=int, default=64)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = vars(parser.parse_args())
    compare(sys.executable, **arguments)


if __name__ == "__main__":
    main()
