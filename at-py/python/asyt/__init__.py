"""Train photonic chips, simulated ones and those on a bench, and compare training methods.

The words are those of the program `asyt`, which comes with this package: `asyt.train(method="at-adaptive", learning_rate=0.02)` does
what `asyt train --method at-adaptive --learning-rate 0.02` does, to the same bits. `asyt train --help` explains every setting.

>>> import asyt
>>> run = asyt.train("bank:in-12-out", data="iris", method=["at", "in-silico"], epochs=2, batch_size=10, progress=False)
>>> run.methods
['at', 'in-silico']

* `train`, `compare`, `sweep`, `evaluate`, `scale`: what the program's commands do
* `load`, `arrays`: samples; `Network`, `Chip`: what is trained; `Run`: what comes out
* `decompose`, `fit`, `matrix`, `convert`, `svd_phases`, `read_phases`, `write_phases`: phases of meshes
* `serve`: a chip in Python for a program elsewhere
* `asyt.torch`, `asyt.jax`: layers with gradients, imported by themselves where PyTorch or JAX is there
"""

from ._chip import Chip, Network
from ._data import Data, arrays, load
from ._errors import Error, Note, RunError, UsageError
from ._meshes import Phases, SvdPhases, convert, decompose, fit, matrix, read_phases, svd_phases, write_phases
from ._program import Report, compare, evaluate, scale, sweep
from ._run import Run, open_run, train
from ._serve import serve

__all__ = [
    "Chip",
    "Data",
    "Error",
    "Network",
    "Note",
    "Phases",
    "Report",
    "Run",
    "RunError",
    "SvdPhases",
    "UsageError",
    "arrays",
    "compare",
    "convert",
    "decompose",
    "fit",
    "evaluate",
    "load",
    "matrix",
    "open_run",
    "read_phases",
    "scale",
    "serve",
    "svd_phases",
    "sweep",
    "train",
    "write_phases",
]
