"""An epoch of the ideal LeNet-5 on MNIST: `asyt train --network lenet-5 --method ideal` beside the same network in PyTorch, in turns.

Both have weights w = sin(phi) with Adam on phi, batches of 100, cross-entropy, f32 and so many threads (RAYON_NUM_THREADS, OMP_NUM_THREADS).
Asyt's time is that of one more epoch: a run of EPOCHS + 1 less a run of 1, evaluation of the test set after each epoch included; PyTorch's
is that of an epoch with such an evaluation, behind one that warms up. Both accuracies are shown, so that one sees that both learn. Beside
seconds stand those of processors (all threads), which a busy machine does not stretch as much: with one thread they are the time of a
quiet one.

usage: python benches/peers/lenet.py target/release/asyt DATA_DIR [--epochs 2] [--rounds 3] [--threads N] [--train-limit 60000]
DATA_DIR holds the four files of MNIST, as `asyt data fetch mnist` leaves them.
"""

import argparse
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCH, RATE = 100, 2e-3


def idx(folder, name):
    """An IDX file of bytes as an array."""
    import numpy as np

    names = [name, name.replace("-idx", ".idx")]
    paths = [Path(folder) / (own + end) for own in names for end in ("", ".gz")]
    path = next(path for path in paths if path.exists())
    data = gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
    axes = data[3]
    shape = [int.from_bytes(data[4 + 4 * k : 8 + 4 * k], "big") for k in range(axes)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)


def peer(folder, epochs, limit):
    """Seconds and processor seconds of every epoch of PyTorch but the first, and the last accuracy."""
    import torch
    import torch.nn.functional as F

    folder = next(own for own in (Path(folder), Path(folder) / "mnist") if any(own.glob("train-images*")))
    generator = torch.Generator().manual_seed(1)
    images, labels = {}, {}
    for part in ("train", "t10k"):
        images[part] = torch.from_numpy(idx(folder, f"{part}-images-idx3-ubyte").copy()).float().div(255).unsqueeze(1)
        labels[part] = torch.from_numpy(idx(folder, f"{part}-labels-idx1-ubyte").copy()).long()
    images["train"] = images["train"][:limit]
    sizes = [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)]
    phases = []
    for size in sizes:
        inputs = torch.Size(size[1:]).numel()
        weight = torch.randn(size, generator=generator).mul(inputs**-0.5).clamp(-0.95, 0.95).asin()
        phases += [weight.requires_grad_(), torch.zeros(size[0], requires_grad=True)]
    optimizer = torch.optim.Adam(phases, RATE)

    def network(x):
        w = [phase.sin() for phase in phases]
        x = F.max_pool2d(F.relu(F.conv2d(x, w[0], w[1], padding=2)), 2)
        x = F.max_pool2d(F.relu(F.conv2d(x, w[2], w[3])), 2).flatten(1)
        x = F.relu(F.linear(x, w[4], w[5]))
        return F.linear(F.relu(F.linear(x, w[6], w[7])), w[8], w[9])

    seconds, processor = [], []
    for _ in range(epochs + 1):
        begin, used = time.perf_counter(), time.process_time()
        for rows in torch.randperm(len(images["train"]), generator=generator).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(network(images["train"][rows]), labels["train"][rows]).backward()
            optimizer.step()
        with torch.no_grad():
            right = [
                (network(x).argmax(1) == y).sum().item()
                for x, y in zip(images["t10k"].split(1000), labels["t10k"].split(1000))
            ]
        seconds.append(time.perf_counter() - begin)
        processor.append(time.process_time() - used)
    print(json.dumps({"seconds": seconds[1:], "processor": processor[1:], "accuracy": sum(right) / len(labels["t10k"])}))


def processor_seconds():
    """Of all processes that this one started and that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def train(asyt, folder, epochs, limit, environment):
    """Seconds and processor seconds of a run of asyt, and its accuracy."""
    with tempfile.TemporaryDirectory() as out:
        words = [asyt, "train", "--dataset", "mnist", "--data-dir", folder, "--network", "lenet-5", "--chip", "ideal"]
        words += ["--method", "ideal", "--encoding", "raw", "--optimizer", "adam", "--learning-rate", str(RATE)]
        words += ["--schedule", "constant", "--batch-size", str(BATCH), "--epochs", str(epochs), "--engine", "cpu"]
        words += ["--train-limit", str(limit), "--out", str(Path(out) / "run"), "--json"]
        begin, used = time.perf_counter(), processor_seconds()
        run = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        seconds, processor = time.perf_counter() - begin, processor_seconds() - used
    return seconds, processor, json.loads(run.stdout)["results"][0]["final_test_accuracy"]


def main():
    if sys.argv[1:2] == ["--peer"]:
        return peer(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    parser = argparse.ArgumentParser()
    parser.add_argument("asyt")
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--train-limit", type=int, default=60000)
    given = parser.parse_args()
    threads = str(given.threads)
    environment = {**os.environ, "RAYON_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    found = {"asyt": [], "torch": []}
    for number in range(given.rounds):
        short, short_used, _ = train(given.asyt, given.data, 1, given.train_limit, environment)
        long, long_used, accuracy = train(given.asyt, given.data, 1 + given.epochs, given.train_limit, environment)
        own = ((long - short) / given.epochs, (long_used - short_used) / given.epochs)
        words = [sys.executable, __file__, "--peer", given.data, str(given.epochs), str(given.train_limit)]
        other = json.loads(subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE).stdout)
        found["asyt"].append(own)
        found["torch"].extend(zip(other["seconds"], other["processor"]))
        print(f"round {number}: asyt {own[0]:.2f} s an epoch, processors {own[1]:.2f} s ({100 * accuracy:.2f} %), ", end="")
        theirs = [statistics.median(other[kind]) for kind in ("seconds", "processor")]
        print(f"torch {theirs[0]:.2f} s, {theirs[1]:.2f} s ({100 * other['accuracy']:.2f} %)", flush=True)
    for kind, both in found.items():
        for what, seconds in zip(("seconds", "processors"), zip(*both)):
            print(f"{kind:6} {what:10} least {min(seconds):7.2f} s, median {statistics.median(seconds):7.2f} s")


if __name__ == "__main__":
    main()
