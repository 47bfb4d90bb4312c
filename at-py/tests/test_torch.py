"""Layers for PyTorch, against differences, matrices and files. Skipped, visibly, where PyTorch is not there."""

import numpy as np
import pytest

import asyt

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import asyt.torch  # noqa: E402
from asyt import _asyt  # noqa: E402

F64 = torch.float64


def fields(batch, modes, dtype=torch.complex128):
    return torch.randn(batch, modes, dtype=dtype, generator=torch.Generator().manual_seed(1), requires_grad=True)


LAYERS = {
    "rectangular": lambda: (asyt.torch.Mesh(5, dtype=F64), 5),
    "triangular": lambda: (asyt.torch.Mesh(4, layout="triangular", dtype=F64), 4),
    "truncated": lambda: (asyt.torch.Mesh(6, depth=3, dtype=F64), 6),
    "imperfect": lambda: (asyt.torch.Mesh(5, kind="mesh", seed=3, dtype=F64), 5),
    "svd": lambda: (asyt.torch.SvdLinear(3, 4, dtype=F64), 3),
    "bank": lambda: (asyt.torch.WeightBank(3, 2, dtype=F64), 3),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_those_of_differences(name):
    layer, inputs = LAYERS[name]()
    x = fields(2, inputs, F64 if name == "bank" else torch.complex128)

    def light(controls, x):
        return torch.func.functional_call(layer, {"controls": controls}, (x,))

    with torch.no_grad():
        layer.controls += 0.3  # away from places where a slope is 0
    assert torch.autograd.gradcheck(light, (layer.controls, x))


@pytest.mark.parametrize("dtype, close", [(torch.float32, 1e-5), (F64, 1e-12)])
def test_a_mesh_multiplies_by_the_matrix_of_its_phases(dtype, close):
    layer = asyt.torch.Mesh(8, dtype=dtype)
    x = fields(3, 8).detach()
    U = torch.from_numpy(asyt.matrix(layer.phases()))
    y = layer(x)
    assert y.dtype == (torch.complex64 if dtype == torch.float32 else torch.complex128)
    assert torch.allclose(y.to(torch.complex128), x @ U.T, atol=close)
    assert torch.allclose(layer.matrix().to(torch.complex128), U, atol=close)


@pytest.mark.parametrize("shape, kernel, stride, padding", [((2, 9, 8), (3, 2), 1, 1), ((1, 7, 7), (5, 5), 1, 0), ((3, 6, 5), (3, 3), 2, 2)])
@pytest.mark.parametrize("pool, peer", [("max", torch.nn.functional.max_pool2d), ("average", torch.nn.functional.avg_pool2d), ("detectors", torch.nn.functional.avg_pool2d)])
def test_convolutions_and_pooling_are_those_of_pytorch(shape, kernel, stride, padding, pool, peer):
    convolution = f"conv:4@{kernel[0]}x{kernel[1]},stride={stride},padding={padding}"
    network = asyt.Network(f"image:{'x'.join(map(str, shape))},{convolution},pool:2,{pool}")
    chip = asyt.Chip(network, kind="ideal", precision="f64")
    random = np.random.default_rng(1)
    controls, x = random.normal(size=network.controls), random.normal(size=(3, *shape))
    chip.program(controls)
    weights, bias = torch.from_numpy(np.sin(controls)).split([len(controls) - 4, 4])
    y = torch.nn.functional.conv2d(torch.from_numpy(x), weights.reshape(4, shape[0], *kernel), bias, stride, padding)
    assert np.allclose(chip.propagate(x.reshape(3, -1)), peer(y, 2).flatten(1).numpy(), atol=1e-12)


@pytest.mark.parametrize("detection, detected", [("homodyne", lambda z: z.real), ("amplitude", torch.abs), ("intensity", lambda z: z.abs().square())])
@pytest.mark.parametrize("outputs, kernel", [(3, (3, 2)), (9, (2, 2))])
def test_convolutions_through_singular_values_are_those_of_their_matrix(detection, detected, outputs, kernel):
    network = asyt.Network(f"image:2x6x5,conv:{outputs}@{kernel[0]}x{kernel[1]},svd,stride=2,padding=1,detection={detection}")
    chip = asyt.Chip(network, kind="ideal", precision="f64")
    random = np.random.default_rng(3)
    entries, x = 2 * kernel[0] * kernel[1], random.normal(size=(4, 2, 6, 5))
    W = random.normal(size=(outputs, entries)) + 1j * random.normal(size=(outputs, entries))
    chip.program(_asyt.singular_values(W, "rectangular"))
    fields = torch.from_numpy(x).to(torch.complex128)
    kernels = torch.from_numpy(W).reshape(outputs, 2, *kernel)
    y = detected(torch.nn.functional.conv2d(fields, kernels, stride=2, padding=1))
    assert np.allclose(chip.propagate(x.reshape(4, -1)), y.flatten(1).numpy(), atol=1e-10)


def test_residual_connections_are_those_of_pytorch():
    network = asyt.Network("image:1x5x4,conv:2@3,padding=1,split,conv:3@3,padding=1,conv:2@3,padding=1,add,bank:4")
    chip = asyt.Chip(network, kind="ideal", precision="f64")
    random = np.random.default_rng(5)
    controls, x = random.normal(size=network.controls), random.normal(size=(3, 1, 5, 4))
    chip.program(controls)
    left = torch.from_numpy(np.sin(controls))

    def weights(outputs, *inputs):
        nonlocal left
        count = outputs * int(np.prod(inputs))
        own, bias, left = left[:count].reshape(outputs, *inputs), left[count : count + outputs], left[count + outputs :]
        return own, bias

    def convolved(x, outputs):
        return torch.nn.functional.conv2d(x, *weights(outputs, x.shape[1], 3, 3), padding=1)

    relu = torch.relu
    entered = relu(convolved(torch.from_numpy(x), 2))
    added = relu(entered + convolved(relu(convolved(entered, 3)), 2))
    y = torch.nn.functional.linear(added.flatten(1), *weights(4, 40))
    assert left.numel() == 0
    assert np.allclose(chip.propagate(x.reshape(3, -1)), y.numpy(), atol=1e-12)


@pytest.mark.parametrize("layout", ["rectangular", "triangular"])
@pytest.mark.parametrize("convention", ["native", "neurophox"])
def test_phases_go_to_a_file_and_come_back(tmp_path, layout, convention):
    one, other = (asyt.torch.Mesh(6, layout=layout, dtype=F64) for _ in range(2))
    with torch.no_grad():
        one.controls.uniform_(0.1, 3.0, generator=torch.Generator().manual_seed(2))
    one.save_phases(tmp_path / "F.npz", convention)
    other.load_phases(tmp_path / "F.npz")
    assert torch.allclose(one.matrix(), other.matrix(), atol=1e-12)
    if convention == "native":
        assert torch.equal(one.controls, other.controls)
    again = asyt.torch.Mesh(6, layout=layout, dtype=F64)
    again.load_state_dict(one.state_dict())
    assert torch.equal(one.controls, again.controls)
    with pytest.raises(asyt.UsageError, match="not of this layer"):
        asyt.torch.Mesh(5, layout=layout).load_phases(tmp_path / "F.npz")


def test_an_svd_layer_takes_any_matrix():
    W = torch.randn(4, 3, dtype=F64, generator=torch.Generator().manual_seed(4))
    layer = asyt.torch.SvdLinear(3, 4, dtype=F64)
    layer.set_matrix(W)
    assert torch.allclose(layer.matrix(), W.to(torch.complex128), atol=1e-10)


def test_the_way_back_is_that_of_the_controls_that_light_met():
    layer = asyt.torch.Mesh(4, dtype=F64)
    x = fields(2, 4).detach()
    loss = layer(x)[:, 0].abs().square().sum()
    alone = torch.autograd.grad(loss, layer.controls, retain_graph=True)[0]
    moved = torch.func.functional_call(layer, {"controls": layer.controls.detach() + 1.0}, (x,))
    assert torch.equal(torch.autograd.grad(loss, layer.controls)[0], alone), moved.shape


def test_what_a_layer_cannot_do_is_named():
    layer = asyt.torch.Mesh(4)
    for wrong, words in [
        (lambda: layer(torch.ones(2, 5)), r"shape \[batch, 4\], got \[2, 5\]"),
        (lambda: asyt.torch.WeightBank(4, 2)(fields(2, 4)), "real numbers"),
        (lambda: asyt.torch.Mesh(4, dtype=torch.float16), "float16"),
        (lambda: layer(torch.ones(0, 4)), "at least one sample"),
    ]:
        with pytest.raises(asyt.UsageError, match=words):
            wrong()


def test_a_layer_can_be_copied_and_pickled():
    import copy
    import pickle

    layer = asyt.torch.Mesh(4, kind="mesh", seed=5)
    x = torch.randn(3, 4, dtype=torch.complex64)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), layer(x))
        with torch.no_grad():
            other.controls += 0.1
        assert not torch.equal(other(x), layer(x)), "its parameter is its own"


def test_a_gradient_of_a_gradient_is_refused_and_a_gradient_with_a_graph_is_not():
    layer = asyt.torch.Mesh(4)
    y = layer(torch.randn(3, 4, dtype=torch.complex64))
    (gradient,) = torch.autograd.grad(y.abs().sum(), layer.controls, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_neither_way_copies_what_goes_through_a_mesh(dtype):
    layer = asyt.torch.Mesh(16, dtype=dtype)
    x = torch.randn(8192, 16, dtype=torch.complex64 if dtype == torch.float32 else torch.complex128, requires_grad=True)
    error = torch.randn_like(x)
    layer(x).backward(error)  # the engine's own vectors stay
    y = []
    forth = _asyt.most_held(lambda: y.append(layer(x)))
    back = _asyt.most_held(lambda: y[0].backward(error))
    size = x.numel() * x.element_size()
    assert forth < size / 4 and back < size / 4, f"{forth} and {back} bytes of {size}"
    assert _asyt.most_held(lambda: np.asarray(asyt.load("digits").x_train)) > 1 << 18, "it counts"


def test_outputs_that_are_modified_in_place_do_not_change_gradients():
    layer = asyt.torch.Mesh(4, kind="mesh", seed=1, dtype=F64)
    x = fields(3, 4)
    scale = torch.randn(4, dtype=torch.complex128)
    expected = torch.autograd.grad((layer(x) * scale).abs().square().sum() + layer(x).real.sum(), (layer.controls, x))
    y = layer(x)
    with torch.no_grad():
        layer.controls += 0.0  # the way back has its own
    loss = y.real.sum()
    y = y.mul_(scale)
    found = torch.autograd.grad(loss + y.abs().square().sum(), (layer.controls, x))
    for one, other in zip(found, expected):
        assert torch.allclose(one, other, atol=1e-12)


def test_fields_that_are_modified_in_place_between_the_ways_are_refused():
    layer = asyt.torch.Mesh(4)
    x = torch.randn(3, 4, dtype=torch.complex64)
    y = layer(x)
    x *= 2
    with pytest.raises(RuntimeError, match="modified in place"):
        y.abs().sum().backward()


def test_fields_lie_as_they_may():
    layer = asyt.torch.Mesh(4, dtype=F64)
    x = fields(3, 4).detach()
    expected = layer(x)
    for lying in (x.T.contiguous().T, x.repeat_interleave(2, 1)[:, ::2], x.conj().resolve_conj().conj()):
        assert torch.equal(layer(lying), expected)
    with torch.inference_mode():
        unfollowed = x.clone()
        assert torch.equal(layer(x), expected)
    layer(unfollowed).abs().sum().backward()
    # and numpy's arrays, by the same door
    model, controls = layer._model(True), layer.controls.detach().numpy()
    astray = np.zeros(3 * 4 * 16 + 1, np.uint8)[1:].view(np.complex128).reshape(3, 4)
    astray[:] = x.numpy()
    for lying in (np.asfortranarray(x.numpy()), astray):
        leaves = np.empty((3, 4), np.complex128)
        model.forward(controls, lying, leaves)
        assert np.array_equal(leaves, expected.detach().numpy())
    for leaves in (np.empty((4, 3), np.complex128).T, np.empty((3, 5), np.complex128), np.empty((3, 4), np.complex64)):
        with pytest.raises(asyt.UsageError, match="leaves must"):
            model.forward(controls, x.numpy(), leaves)


def test_a_layer_works_on_several_threads_at_once():
    from concurrent.futures import ThreadPoolExecutor

    layer = asyt.torch.Mesh(16)
    x = torch.randn(200, 16, dtype=torch.complex64)
    error = torch.randn_like(x)

    def gradient(_):
        return torch.autograd.grad(layer(x), layer.controls, error)[0]

    expected = gradient(0)
    with ThreadPoolExecutor(4) as threads:
        assert all(torch.equal(found, expected) for found in threads.map(gradient, range(40)))
