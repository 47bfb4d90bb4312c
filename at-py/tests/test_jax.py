"""Layers for JAX, against differences and against matrices. Skipped, visibly, where JAX is not there."""

import numpy as np
import pytest

import asyt

jax = pytest.importorskip("jax", reason="JAX is not installed")
jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402

import asyt.jax  # noqa: E402


def fields(batch, modes, seed=1):
    real, imaginary = np.random.default_rng(seed).normal(size=(2, batch, modes))
    return jnp.asarray(real + 1j * imaginary)


def test_a_mesh_multiplies_by_its_matrix():
    layer = asyt.jax.Mesh(6, kind="mesh", seed=2)
    controls = layer.initial_controls()
    layer.chip.program(np.asarray(controls))
    x = fields(3, 6)
    assert np.allclose(layer(controls, x), x @ layer.chip.transfer_matrices()[0].T, atol=1e-10)


@pytest.mark.parametrize("layer", [asyt.jax.Mesh(4), asyt.jax.Mesh(5, kind="mesh", seed=1), asyt.jax.SvdLinear(3, 4)])
def test_gradients_of_fields_are_those_of_differences(layer):
    weights = fields(2, layer.outputs, seed=5)

    def loss(controls, real, imaginary):
        y = layer(controls, real + 1j * imaginary)
        return jnp.sum(jnp.abs(y) ** 4) + jnp.sum((weights * y).real)

    x = fields(2, layer.inputs)
    check_grads(loss, (layer.initial_controls() + 0.3, x.real, x.imag), order=1, modes=["rev"], atol=1e-5, rtol=1e-5)


def test_gradients_of_real_signals_are_those_of_differences():
    layer = asyt.jax.WeightBank(3, 2)
    x = jnp.asarray(np.random.default_rng(1).uniform(size=(4, 3)))
    loss = lambda controls, x: jnp.sum(jnp.sin(layer(controls, x)))  # noqa: E731
    check_grads(loss, (layer.initial_controls(), x), order=1, modes=["rev"], atol=1e-5, rtol=1e-5)


def test_a_layer_is_compiled_like_any_function():
    layer = asyt.jax.Mesh(4)
    controls, x = layer.initial_controls(), fields(3, 4)
    assert np.allclose(jax.jit(layer)(controls, x), layer(controls, x))
    assert np.allclose(jax.vmap(lambda one: layer(controls, one[None])[0])(x), layer(controls, x))
    with pytest.raises(asyt.UsageError, match="fields .batch, 4."):
        layer(controls, fields(3, 5))
