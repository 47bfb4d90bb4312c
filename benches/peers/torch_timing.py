"""What the programs beside this one that time PyTorch share: their flags, and how a call is timed."""

import argparse
import time

import torch


def flags(description, modes):
    """A parser of the flags that all of them have, with these modes unless others are named."""
    parser = argparse.ArgumentParser(description=description.split("\n\n")[0])
    parser.add_argument("--modes", default=modes, type=lambda text: [int(number) for number in text.split(",")])
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=3.0, help="at most so long per case")
    return parser


def timed(work, device, seconds):
    """The seconds of one call, after one to warm up: the shortest of at least three, each until the device has done it."""
    settle = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    work()
    settle()
    shortest, start, times = float("inf"), time.perf_counter(), 0
    while times < 3 or (times < 50 and time.perf_counter() - start < seconds):
        before = time.perf_counter()
        work()
        settle()
        shortest = min(shortest, time.perf_counter() - before)
        times += 1
    return shortest
