"""Networks and simulated chips."""

from __future__ import annotations

import os
from typing import Any, Optional, Sequence, Union

import numpy as np

from . import _asyt
from ._errors import UsageError
from ._settings import named, text
from ._types import Facts, Precision


def _left_to_data(word: str) -> bool:
    """Whether the word leaves a size to the data: `in`, or the shape of images."""
    images = word.startswith(("conv:", "pool:")) or word in ("lenet-5", "vgg-8")
    return images or "in" in word.split(":")[-1].replace(",", "-").split("-")


class Network:
    """A network in the program's notation, `mesh:64x3`, or stage by stage: a list of layers that are lists of stages.

    >>> Network("mesh:64x3")
    asyt.Network('mesh:64x3')
    >>> Network([[{"kind": "mesh", "modes": 8}, {"kind": "detection", "detection": {"kind": "intensity"}}]]).controls
    64

    `asyt train --help` explains the notation. A flat list of stages is one layer.
    """

    def __init__(self, network: Union[str, Sequence, "Network"]):
        if isinstance(network, Network):
            network = network.text
        if not isinstance(network, str):
            stages = list(network)
            network = [stages] if stages and isinstance(stages[0], dict) else stages
        self.text = network
        self._facts: Optional[Facts] = None

    def _known(self) -> Facts:
        if self._facts is None:
            self._facts = Chip(self, kind="ideal").facts
        return self._facts

    @property
    def controls(self) -> int:
        """Number of controls."""
        return self._known()["controls"]

    @property
    def inputs(self) -> int:
        """Number of modes, or of real signals, that enter."""
        return self._known()["inputs"]

    @property
    def outputs(self) -> int:
        """Number of values that are read."""
        return self._known()["outputs"]

    def propagate(self, x, controls, *, hidden: bool = False):
        """What the network as designed, the digital model, makes of fields `x [batch, inputs]` at `controls`; with `hidden` a list of what
        leaves every layer.

        >>> np.round(Network("bank:2-1").propagate(np.ones((1, 2)), np.zeros(3)), 3).shape
        (1, 1)
        """
        chip = Chip(self, kind="ideal")
        chip.program(controls)
        return chip.hidden(x) if hidden else chip.propagate(x)

    def __repr__(self) -> str:
        return f"asyt.Network({self.text!r})"


class Chip:
    """A simulated chip of `network`: number `seed` of its `kind` (`asyt train --help` lists them), with the spreads that are given.

    A setting has the name of its flag, `phase` for --phase, `heater_spread` for --heater-spread. Without a `kind`, chips are what the
    kind of network has by default.

    >>> chip = Chip("mesh:8x2", kind="silicon", seed=7, phase=0.1)
    >>> chip.program(chip.initial_controls())
    >>> chip.propagate(np.ones((3, 8))).shape
    (3, 8)
    >>> [matrix.shape for matrix in chip.transfer_matrices()]
    [(8, 8), (8, 8)]

    `precision` is `f32` or `f64`.
    """

    def __init__(
        self,
        network: Union[str, Sequence, Network],
        kind: Optional[str] = None,
        seed: Optional[int] = None,
        *,
        precision: Precision = "f32",
        **spreads: Any,
    ):
        self.network = Network(network)
        self.settings = named({"chip": kind, "chip_seed": seed, **spreads})
        if precision not in ("f32", "f64"):
            raise UsageError(f"unknown precision {precision!r}; known: f32, f64")
        self.precision = precision
        self._made: Optional[_asyt.Chip] = None
        if isinstance(self.network.text, list) or not _left_to_data(self.network.text):
            self._inside  # so that a mistake is said here

    @property
    def _inside(self) -> _asyt.Chip:
        if self._made is None:
            settings = text({"network": self.network.text, **self.settings})
            self._made = _asyt.Chip(settings, self.precision == "f64")
        return self._made

    @property
    def facts(self) -> Facts:
        """Sizes, and the imperfections in words."""
        return self._inside.facts()

    def initial_controls(self) -> np.ndarray:
        """The controls from which trainings start by default."""
        return self._inside.initial_controls()

    def program(self, controls) -> None:
        """Sets all controls (radians, of phase shifters). The first time defines the point from which update errors count."""
        self._inside.program(np.ascontiguousarray(controls, dtype=np.float64))

    def _fields(self, x) -> np.ndarray:
        double = self.precision == "f64"
        if self.facts["complex_inputs"]:
            return np.ascontiguousarray(x, dtype=np.complex128 if double else np.complex64)
        if np.iscomplexobj(x):
            raise UsageError("the network takes real numbers, and these are complex")
        return np.ascontiguousarray(x, dtype=np.float64 if double else np.float32)

    def propagate(self, x) -> np.ndarray:
        """Sends fields `x [batch, inputs]` and reads `[batch, outputs]`, with the chip's noise."""
        return self._inside.propagate(self._fields(x), False)[0]

    def hidden(self, x) -> list[np.ndarray]:
        """What leaves every layer, hidden fields first: a simulator's look, which a chip on a bench may not offer."""
        return self._inside.propagate(self._fields(x), True)

    def transfer_matrices(self) -> list[np.ndarray]:
        """What every mesh does to fields, `[output, input]`, as it is programmed now, with errors and losses."""
        return self._inside.transfer_matrices()

    def phases(self, controls) -> list[dict[str, np.ndarray]]:
        """`controls` mesh by mesh (radians): `theta` and `phi` `[column, pair]`, nan where no interferometer is, and `gamma` `[mode]`."""
        meshes = self._inside.phases(np.ascontiguousarray(controls, dtype=np.float64))
        return [dict(zip(("theta", "phi", "gamma"), phases)) for phases in meshes]

    def voltages(self, controls) -> np.ndarray:
        """Heater voltages as a share of full scale, by this chip's law; nan of controls that are no heater with a range."""
        return self._inside.voltages(np.ascontiguousarray(controls, dtype=np.float64))

    def errors(self) -> list[dict[str, np.ndarray]]:
        """This individual's imperfections, stage by stage, by name."""
        return self._inside.errors()

    def save(self, path: Union[str, os.PathLike]) -> None:
        """Writes this individual to a file, for `chip_file=` and --chip-file."""
        self._inside.save(os.fspath(path))

    def __repr__(self) -> str:
        shown = ", ".join([repr(self.network.text), *(f"{name.replace('-', '_')}={value!r}" for name, value in self.settings.items())])
        return f"asyt.Chip({shown})"
