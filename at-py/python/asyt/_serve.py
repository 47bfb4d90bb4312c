"""Chips in Python, for a program that is elsewhere."""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional

from . import _asyt


def serve(chip: Any, address: Optional[str] = None, *, ready: Optional[Callable[[str], Any]] = None) -> None:
    """Serves `chip` to `asyt train`, over the protocol of docs/chip-protocol.md.

    With an `address`, `127.0.0.1:4242`, for --chip-address, to one program after the other until Ctrl-C. Without one over the standard
    streams of this process, for --chip-command "python lab.py"; what Python prints then goes to stderr.

    A chip is any object with

    * `controls`, `inputs`, `outputs`: how many (complex modes, where `complex` is true);
    * `program(c)`: takes all controls, float32;
    * `send(x)`: takes `[batch, inputs]`, float32 or complex64, and gives what the detectors read, `[batch, outputs]`;

    and, where it has them, `limits = (lower, upper)`, outside of which nothing is ever written; `period`, a distance of controls that do
    the same (2π of phase shifters); `name`, `unit`, `complex`, `largest_batch`, `settle_ms`. What it raises is the error that the training
    ends with.
    """
    told = ready or (lambda place: print(f"serving at {place}", file=sys.stderr))
    if address is not None:
        return _asyt.serve(chip, address, told)
    printed, sys.stdout = sys.stdout, sys.stderr
    try:
        return _asyt.serve(chip, None, told)
    finally:
        sys.stdout = printed
