"""The same layers for JAX: functions with a `custom_vjp`, computed by asyt on the CPU through `pure_callback`.

    import asyt.jax
    layer = asyt.jax.Mesh(64)
    y = layer(controls, x)                         # jit, grad and vmap over batches of x work

`Mesh`, `SvdLinear` and `WeightBank` hold no parameters: `layer.initial_controls()` gives the first ones. Gradients of complex fields are
JAX's: conjugate of PyTorch's.
"""

from __future__ import annotations

from typing import Any, Optional

import jax
import jax.numpy as jnp
import numpy as np

from ._chip import Chip
from ._errors import UsageError
from ._types import Layout

__all__ = ["Mesh", "SvdLinear", "WeightBank"]


class _Layer:
    def __init__(self, stages: list, outputs: int, complex_fields: bool, kind: str, seed: Optional[int], spreads: dict[str, Any]):
        self.chip = Chip(stages, kind=kind, seed=seed, precision="f64", **spreads)
        facts = self.chip.facts
        self.inputs, self.outputs = facts["inputs"], outputs
        self.controls, self._complex = facts["controls"], complex_fields
        self._models = {double: self.chip._inside.model(False, double) for double in (False, True)}
        self._lit = self._differentiable()

    def initial_controls(self) -> jax.Array:
        """The controls from which trainings start by default."""
        return jnp.asarray(self.chip.initial_controls())

    def __call__(self, controls, fields) -> jax.Array:
        """Fields `[…, inputs]` to what leaves the layer at `controls`."""
        double = controls.dtype == jnp.float64
        kinds = (jnp.float64, jnp.complex128) if double else (jnp.float32, jnp.complex64)
        fields = jnp.asarray(fields)
        if not self._complex and jnp.iscomplexobj(fields):
            raise UsageError("this layer takes real numbers, and these are complex")
        if fields.shape[-1] != self.inputs or controls.shape != (self.controls,):
            raise UsageError(
                f"controls must have the shape [{self.controls}] and fields [batch, {self.inputs}], got {controls.shape} and {fields.shape}"
            )
        batch = fields.reshape(-1, self.inputs).astype(kinds[self._complex])
        y = self._lit(controls.astype(kinds[0]), batch)
        return y.reshape(*fields.shape[:-1], self.outputs)

    def _differentiable(self):
        def numbers(array) -> np.ndarray:
            return np.ascontiguousarray(array)

        def lit(controls, fields):
            """The model, what entered it and what left, and the trace."""
            model, fields = self._models[controls.dtype == np.float64], numbers(fields)
            leaves = np.empty((len(fields), self.outputs), fields.dtype)
            return model, fields, leaves, model.forward(numbers(controls), fields, leaves)

        def forward(controls, fields):
            return lit(controls, fields)[2]

        def backward(controls, fields, error):
            model, fields, leaves, trace = lit(controls, fields)
            entered, gradient = np.empty_like(fields), np.empty_like(numbers(controls))
            error = numbers(error)
            model.backward(trace, fields, leaves, error.conj() if self._complex else error, entered, gradient)
            return gradient, np.conjugate(entered, out=entered) if self._complex else entered

        def light(controls, fields):
            kind = fields.dtype
            shape = jax.ShapeDtypeStruct((fields.shape[0], self.outputs), kind)
            return jax.pure_callback(forward, shape, controls, fields, vmap_method="sequential")

        def keeping(controls, fields):
            return light(controls, fields), (controls, fields)

        def back(kept, error):
            controls, fields = kept
            shapes = [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in kept]
            return tuple(jax.pure_callback(backward, tuple(shapes), controls, fields, error, vmap_method="sequential"))

        differentiable = jax.custom_vjp(light)
        differentiable.defvjp(keeping, back)
        return differentiable


_DETECTION = [{"kind": "detection", "detection": {"kind": "intensity"}}]  # never lit: a chip's last layer must detect


class Mesh(_Layer):
    """A mesh of interferometers: `y = U x`, fields `[…, modes]` in and out."""

    def __init__(self, modes: int, *, layout: Layout = "rectangular", kind: str = "ideal", seed: Optional[int] = None, **spreads: Any):
        super().__init__([[{"kind": "mesh", "modes": modes, "layout": layout}], _DETECTION], modes, True, kind, seed, spreads)


class SvdLinear(_Layer):
    """Any matrix as two meshes with attenuators between them: `y = W x`, complex fields."""

    def __init__(self, inputs: int, outputs: int, *, layout: Layout = "rectangular", kind: str = "ideal", seed: Optional[int] = None, **spreads: Any):
        stage = {"kind": "singular-value", "inputs": inputs, "outputs": outputs, "layout": layout}
        super().__init__([[stage], _DETECTION], outputs, True, kind, seed, spreads)


class WeightBank(_Layer):
    """A bank of weight cells: real signals `[…, inputs]` to `[…, outputs]`."""

    def __init__(self, inputs: int, outputs: int, *, kind: str = "ideal", seed: Optional[int] = None, **spreads: Any):
        super().__init__([[{"kind": "weight-bank", "inputs": inputs, "outputs": outputs}]], outputs, False, kind, seed, spreads)
