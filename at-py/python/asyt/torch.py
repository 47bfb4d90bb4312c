"""Layers of photonic chips for PyTorch: forward and backward are asyt's own, on the CPU, in f32 or f64.

    import asyt.torch
    layer = asyt.torch.Mesh(64)                    # a unitary layer, complex64 [batch, 64] in and out
    y = layer(x)

`Mesh`, `SvdLinear` and `WeightBank` are `torch.nn.Module`s with one parameter, `controls`: phases (radians) in the program's order.
Fabrication errors are keyword arguments, those of `asyt.Chip`: `Mesh(64, kind="silicon", seed=7)`. A trained layer's phases go to a
file that the program reads (`save_phases`), and come back (`load_phases`); `state_dict()` holds the same numbers.

A kind of chip with converters (`kind="silicon"`, `control_bits=12`) answers in steps: its gradients are straight through the converters, and
no finite difference meets them; `control_bits=0` leaves the converters out.

Gradients are what PyTorch expects (of a complex field ∂L/∂re + i ∂L/∂im). They are of first order: a gradient of a gradient is refused.
"""

from __future__ import annotations

import os
from typing import Any, Optional, Union

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from . import _asyt
from ._chip import Chip
from ._errors import UsageError
from ._meshes import Phases, read_phases, write_phases
from ._types import Convention, Layout

__all__ = ["Mesh", "SvdLinear", "WeightBank"]


class _Lit(torch.autograd.Function):
    """Light through the first layer of a model, and errors back. Rust reads and writes the tensors' own memory, which numpy shows it; calls
    are few, because each takes a microsecond or two and the whole of a small mesh not two hundred."""

    @staticmethod
    def forward(ctx, fields, controls, model, outputs):
        fields = fields.detach()
        entering = (fields.resolve_conj() if fields.is_conj() else fields).numpy()
        leaving = np.empty((entering.shape[0], outputs), entering.dtype)
        trace = model.forward(controls.detach().numpy(), entering, leaving)
        y = torch.from_numpy(leaving)
        if ctx.needs_input_grad[0] or ctx.needs_input_grad[1]:
            try:
                came = fields._version
            except RuntimeError:  # of torch.inference_mode, where nobody counts what is written
                fields, entering = None, entering.copy()
                came = None
            ctx.kept = model, trace, entering, leaving, fields, came, y.detach()
        return y

    @staticmethod
    def backward(ctx, error):
        # what refuses a gradient of this gradient costs as much as a small layer: only where somebody may ask for one
        return _refusing_more(ctx, error) if torch.is_grad_enabled() else _errors_back(ctx, error)


def _errors_back(ctx, error):
    model, trace, entering, leaving, fields, came, y = ctx.kept
    if fields is not None and fields._version != came:
        raise RuntimeError("the fields that entered a layer were modified in place, and its gradient needs them; modify a copy")
    if y._version:
        # what left was modified in place, which is the caller's right: once more, without it
        leaving = np.empty_like(leaving)
        trace = model.forward(trace.controls(), entering, leaving)
    if error.is_conj():
        error = error.resolve_conj()
    gradient = np.empty(model.controls, leaving.real.dtype)
    entered = np.empty_like(entering) if ctx.needs_input_grad[0] else None
    model.backward(trace, entering, leaving, error.contiguous().numpy(), entered, gradient)
    return None if entered is None else torch.from_numpy(entered), torch.from_numpy(gradient), None, None


_refusing_more = once_differentiable(_errors_back)


# what a layer takes: fields or reals, in which precision
_TAKEN = {
    (True, False): torch.complex64,
    (True, True): torch.complex128,
    (False, False): torch.float32,
    (False, True): torch.float64,
}


class _Layer(torch.nn.Module):
    """A stage of a chip as a layer with the parameter `controls`."""

    def __init__(self, stages: list, complex_fields: bool, dtype: torch.dtype, kind: str, seed: Optional[int], spreads: dict[str, Any]):
        super().__init__()
        if dtype not in (torch.float32, torch.float64):
            raise UsageError(f"dtype {dtype} is none of a layer's controls; known: torch.float32, torch.float64")
        self._made = (stages, dict(kind=kind, seed=seed, precision="f64" if dtype == torch.float64 else "f32", **spreads))
        self.chip = self._make()
        self._complex = complex_fields
        self._models: dict[bool, _asyt.Model] = {}
        facts = self.chip.facts
        self.inputs: int = facts["inputs"]
        self._outputs: int = facts["outputs"]
        self.controls = torch.nn.Parameter(torch.from_numpy(self._first()).to(dtype))

    def _make(self) -> Chip:
        stages, facts = self._made
        return Chip(stages, **facts)

    def __getstate__(self):
        # the chip itself is made again from its seed
        return {**self.__dict__, "chip": None, "_models": {}}

    def __setstate__(self, state):
        super().__setstate__(state)
        self.chip = self._make()

    def _first(self) -> np.ndarray:
        return self.chip.initial_controls()

    def _model(self, double: bool) -> _asyt.Model:
        if double not in self._models:
            self._models[double] = self.chip._inside.model(False, double)
        return self._models[double]

    def forward(self, fields: torch.Tensor) -> torch.Tensor:
        """Fields `[…, inputs]` to what leaves the layer; reals become fields where it takes these."""
        controls = self.controls
        double = controls.dtype == torch.float64
        taken = _TAKEN[self._complex, double]
        if fields.dtype != taken:
            if not self._complex and fields.is_complex():
                raise UsageError("this layer takes real numbers, and these are complex")
            fields = fields.to(taken)
        shape = fields.shape
        if shape[-1] != self.inputs:
            raise UsageError(f"fields must have the shape [batch, {self.inputs}], got {list(shape)}")
        if not (fields.is_cpu and controls.is_cpu):
            raise UsageError("this layer computes on the CPU; move fields and layer there")
        if 0 in shape:
            raise UsageError("fields must hold at least one sample")
        model = self._models.get(double) or self._model(double)
        if len(shape) == 2:
            return _Lit.apply(fields.contiguous(), controls.contiguous(), model, self._outputs)
        y = _Lit.apply(fields.reshape(-1, self.inputs).contiguous(), controls.contiguous(), model, self._outputs)
        return y.reshape(*shape[:-1], self._outputs)


class Mesh(_Layer):
    """A mesh of interferometers: `y = U x`, fields `[…, modes]` in and out. A rectangular one may have fewer columns (`depth`)."""

    def __init__(
        self,
        modes: int,
        *,
        layout: Layout = "rectangular",
        depth: Optional[int] = None,
        dtype: torch.dtype = torch.float32,
        kind: str = "ideal",
        seed: Optional[int] = None,
        **spreads: Any,
    ):
        self.modes, self.layout, self.depth = modes, layout, depth
        mesh = {"kind": "mesh", "modes": modes, "layout": layout, **({} if depth is None else {"depth": depth})}
        # the second layer is never lit: a chip's last one must detect
        super().__init__([[mesh], [{"kind": "detection", "detection": {"kind": "intensity"}}]], True, dtype, kind, seed, spreads)

    def phases(self) -> Phases:
        """The phases as they are now, in the native convention."""
        return Phases(self.controls.detach().double().numpy().copy(), self.modes, self.layout, self.depth)

    def matrix(self) -> torch.Tensor:
        """The transfer matrix `[output, input]`, errors included, with a gradient."""
        return self(torch.eye(self.modes)).T

    def save_phases(self, path: Union[str, os.PathLike], convention: Convention = "native") -> None:
        """Writes a phase file of this one mesh."""
        write_phases(path, [self.phases()], convention)

    def load_phases(self, path: Union[str, os.PathLike], convention: Optional[Convention] = None, mesh: int = 0) -> None:
        """Takes the phases of mesh number `mesh` of a file."""
        found = read_phases(path, convention)
        if mesh >= len(found):
            raise UsageError(f"{os.fspath(path)} has {len(found)} meshes, none with number {mesh}")
        self.set_phases(found[mesh])

    def set_phases(self, phases: Phases) -> None:
        """Takes these phases, in whatever convention."""
        from ._meshes import convert

        native = convert(phases, "native")
        if (native.modes, native.layout, len(native.values)) != (self.modes, self.layout, self.controls.numel()):
            raise UsageError(f"these are the phases of a {native.layout} mesh of {native.modes} modes, not of this layer")
        with torch.no_grad():
            self.controls.copy_(torch.from_numpy(np.asarray(native.values)))


class SvdLinear(_Layer):
    """Any matrix as two meshes with attenuators between them: `y = W x`, complex fields, `W = U diag(σ) Vᴴ`."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        layout: Layout = "rectangular",
        dtype: torch.dtype = torch.float32,
        kind: str = "ideal",
        seed: Optional[int] = None,
        **spreads: Any,
    ):
        stage = {"kind": "singular-value", "inputs": inputs, "outputs": outputs, "layout": layout}
        self.outputs, self.layout = outputs, layout
        super().__init__([[stage], [{"kind": "detection", "detection": {"kind": "intensity"}}]], True, dtype, kind, seed, spreads)

    def set_matrix(self, W) -> None:
        """Takes the controls that make `W`, `[output, input]`, on a layer without errors."""
        matrix = torch.as_tensor(W).detach().numpy()
        if matrix.shape != (self.outputs, self.inputs):
            raise UsageError(f"W must have the shape [{self.outputs}, {self.inputs}], got {list(matrix.shape)}")
        controls = _asyt.singular_values(np.ascontiguousarray(matrix, dtype=np.complex128), self.layout)
        with torch.no_grad():
            self.controls.copy_(torch.from_numpy(controls))

    def matrix(self) -> torch.Tensor:
        """`W [output, input]` as it is now, errors included, with a gradient."""
        return self(torch.eye(self.inputs)).T


class WeightBank(_Layer):
    """A bank of weight cells: real signals `[…, inputs]` to `[…, outputs]`."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        dtype: torch.dtype = torch.float32,
        kind: str = "ideal",
        seed: Optional[int] = None,
        **spreads: Any,
    ):
        self.outputs = outputs
        super().__init__([[{"kind": "weight-bank", "inputs": inputs, "outputs": outputs}]], False, dtype, kind, seed, spreads)
