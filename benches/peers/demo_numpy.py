"""One epoch of the published demonstration in NumPy (f64), to be timed beside `asyt train --preset asyt-demo`.

Written from the equations (docs/method.md), with what the demonstration does per step: a forward pass of the chip and of the
model, two backward passes through the model, distorted updates, and the test accuracy once per epoch.

usage: python benches/peers/demo_numpy.py DIR [EPOCHS]     DIR holds MNIST as mnist/train-images-idx3-ubyte.gz and so on
"""

import gzip
import sys
import time
from pathlib import Path

import numpy as np

WIDTHS, BATCH, RATE = [784, 256, 256, 10], 600, 5e-5


def read(folder, part):
    def idx(name, offset):
        for path in (folder / f"{name}.gz", folder / name):
            if path.exists():
                data = path.read_bytes()
                return np.frombuffer(gzip.decompress(data) if path.suffix == ".gz" else data, np.uint8, offset=offset)
        sys.exit(f"{folder / name}[.gz] is missing")

    images = idx(f"{part}-images-idx3-ubyte", 16).reshape(-1, 784).astype(float)
    return images / np.linalg.norm(images, axis=1, keepdims=True), idx(f"{part}-labels-idx1-ubyte", 8)


def forward(parameters, x):
    signals = [x]
    for layer, (w, b) in enumerate(parameters):
        z = signals[-1] @ w.T + b
        signals.append(z if layer + 1 == len(parameters) else np.maximum(z, 0.0))
    return signals


def error(readout, labels):
    e = np.exp(readout - readout.max(axis=1, keepdims=True))
    e /= e.sum(axis=1, keepdims=True)
    e[np.arange(len(labels)), labels] -= 1.0
    return e


def backward(parameters, signals, e):
    gradients = []
    for (w, _), x in zip(reversed(parameters), reversed(signals[:-1])):
        gradients.append((e.T @ x, e.sum(axis=0)))
        if len(gradients) < len(parameters):
            e = (e @ w) * (x > 0.0)
    return gradients[::-1]


def main():
    folder = Path(sys.argv[1]) / "mnist"
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    (x, labels), (test, test_labels) = read(folder, "train"), read(folder, "t10k")
    random = np.random.default_rng(42)
    shapes = [((o, i), (o,)) for i, o in zip(WIDTHS, WIDTHS[1:])]
    draw = lambda weight, bias: [(weight * random.standard_normal(w), bias * random.standard_normal(b)) for w, b in shapes]
    model = draw(0.1, 0.5)
    controls = [(w.copy(), b.copy()) for w, b in model]
    spread, slope = draw(0.6, 0.6), draw(0.6, 0.6)
    for epoch in range(epochs):
        start, order = time.perf_counter(), random.permutation(len(x))
        for first in range(0, len(x), BATCH):
            batch = order[first : first + BATCH]
            chip = [tuple((1 + d) * c for d, c in zip(ds, cs)) for ds, cs in zip(spread, controls)]
            physical = error(forward(chip, x[batch])[-1], labels[batch])
            signals = forward(model, x[batch])
            g1 = backward(model, signals, error(signals[-1], labels[batch]))
            g2 = backward(model, signals, physical)
            for l in range(len(model)):
                for p in range(2):
                    distorted = 0.5 * (1 + slope[l][p])
                    model[l][p][...] -= RATE * distorted * g1[l][p]
                    controls[l][p][...] -= RATE * distorted * (g1[l][p] + g2[l][p])
        chip = [tuple((1 + d) * c for d, c in zip(ds, cs)) for ds, cs in zip(spread, controls)]
        accuracy = (forward(chip, test)[-1].argmax(axis=1) == test_labels).mean()
        print(f"epoch {epoch + 1}  test {accuracy:.4f}  {time.perf_counter() - start:.2f} s", flush=True)


if __name__ == "__main__":
    main()
