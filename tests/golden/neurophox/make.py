"""Writes matrices.json with neurophox 0.1.0a4's NumPy meshes. TensorFlow, which it imports and does not need here, is a stub."""

import json
import sys
from types import ModuleType

import numpy as np


class Anything(type):
    def __getattr__(cls, name):
        return Thing


class Thing(metaclass=Anything):
    def __init__(self, *args, **kwargs):
        pass


tensorflow = ModuleType("tensorflow")
tensorflow.__getattr__ = lambda name: Thing
for name in ("tensorflow", "tensorflow.keras", "tensorflow.keras.layers", "tensorflow.keras.models"):
    stub = ModuleType(name)
    stub.__getattr__ = lambda attribute: Thing
    stub.__path__ = []
    sys.modules[name] = stub

from neurophox.meshmodel import RectangularMeshModel, TriangularMeshModel  # noqa: E402
from neurophox.numpy.generic import MeshNumpyLayer, MeshPhases  # noqa: E402


def case(layout, units, columns, error, random):
    model = RectangularMeshModel(units, columns) if layout == "rectangular" else TriangularMeshModel(units)
    shape = model.mask.shape
    left, right = (error * random.standard_normal(shape) * model.mask for _ in range(2))

    class Split(type(model)):
        mzi_error_matrices = property(lambda self: (left, right))

    model.__class__ = Split
    theta, phi = (random.uniform(0, 2 * np.pi, shape) for _ in range(2))
    gamma = random.uniform(0, 2 * np.pi, units)
    phases = MeshPhases(theta, phi, gamma, model.mask)
    layer = MeshNumpyLayer(model, phases)
    layer.mesh_layers = layer.mesh.mesh_layers(phases, use_different_errors=True)
    matrix = layer.matrix
    values = dict(theta=theta, phi=phi, gamma=gamma, split_left=left, split_right=right, real=matrix.real, imag=matrix.imag)
    return dict(layout=layout, modes=units, columns=shape[0], **{key: value.tolist() for key, value in values.items()})


random = np.random.default_rng(20250216)
wanted = [("rectangular", 4, 4), ("rectangular", 5, 5), ("rectangular", 6, 3), ("rectangular", 5, 4), ("triangular", 4, 5), ("triangular", 5, 7)]
cases = [case(*size, error, random) for size in wanted for error in (0.0, 0.1)]
with open("matrices.json", "w") as file:
    json.dump(cases, file)
    file.write("\n")
