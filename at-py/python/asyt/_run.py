"""Training, and what comes out of it."""

from __future__ import annotations

import csv
import html
import json
import os
from pathlib import Path
from typing import Any, Optional, Sequence, Union

import numpy as np

from . import _asyt
from ._chip import Chip, Network
from ._data import Data, arrays, understood
from ._errors import UsageError
from ._progress import Progress
from ._settings import Temporary, name_a_runtime_folder, named, text
from ._types import Convention, Method, Result

PathLike = Union[str, os.PathLike]

# where data lie and how a chip on a bench is reached: what may change when a run goes on
_ELSEWHERE = ("data_dir", "chip_command", "chip_address", "chip_park", "chip_timeout")


def train(
    network: Union[str, Sequence, Network, None] = None,
    chip: Any = None,
    data: Union[str, Data, tuple, None] = None,
    *,
    method: Union[Method, str, Sequence[Union[Method, str]], None] = None,
    epochs: Optional[int] = None,
    out: Optional[PathLike] = None,
    resume: Optional[PathLike] = None,
    save_chip: Optional[PathLike] = None,
    log_dir: Optional[PathLike] = None,
    progress: Optional[bool] = None,
    **settings: Any,
) -> "Run":
    """Trains a chip, with one method or several in turn, as `asyt train` does with the same settings: to the same numbers, bit by bit.

    What is not given is what the program takes: `asyt.train()` trains its default chip. `chip` is a kind of chip, `asyt.Chip`, or
    a chip of your own: an object with `controls`, `inputs`, `outputs`, `program(c)` and `send(x)` (`asyt.serve` says more); of that,
    `kind` is the kind whose data sheet digital models know. `data` is a name, `asyt.load(...)`, or arrays. Every other setting has the name of its flag, `learning_rate` for --learning-rate;
    `asyt train --help` explains them all. Results go to the folder `out`, by default a temporary one that goes with the result;
    curves also to `log_dir`/RUN as event files, for `tensorboard --logdir`.

    Ctrl-C ends a training after its step; `resume=FOLDER` goes on with what `out` has kept, after its last whole epoch.

    >>> run = train(method="in-silico", epochs=2, progress=False)
    >>> run.metrics["epoch"]
    array([1, 2])
    """
    given = dict(settings)
    if resume is not None:
        others = {"network": network, "chip": chip if isinstance(chip, (str, Chip)) else None, "method": method, "epochs": epochs, "out": out, **given}
        named_too = [name for name, value in others.items() if value is not None and name not in _ELSEWHERE]
        if named_too:
            raise UsageError(f"resume continues a run with its own settings; drop {', '.join(named_too)}")
    given.update(method=method, epochs=epochs)
    if network is None and isinstance(chip, Chip):
        network = chip.network
    if network is not None:
        given["network"] = Network(network).text
    if isinstance(chip, Chip):
        if Network(given["network"]).text != chip.network.text:
            raise UsageError(f"the chip is one of network {chip.network.text!r}, not of {given['network']!r}")
        clash = [name for name in given if name.replace("_", "-") in chip.settings]
        if clash:
            raise UsageError(f"{', '.join(clash)} is a setting of the chip; give it to asyt.Chip")
        given.update({name.replace("-", "_"): value for name, value in chip.settings.items()})
        given.setdefault("precision", chip.precision if chip.precision != "f32" else None)
    elif isinstance(chip, str):
        given["chip"] = chip
    outside = None if chip is None or isinstance(chip, (str, Chip)) else chip
    if outside is not None and "kind" in given:
        given["chip"] = given.pop("kind")
    samples = None
    if isinstance(data, (tuple, list)) and len(data) == 2 and given.get("split") is not None:
        data = arrays(*data, split=given.pop("split"))
    known = None if data is None else understood(data)
    if known is not None and known._settings is not None:
        for name, value in known._settings.items():
            given.setdefault(name.replace("-", "_"), value)
    elif known is not None:
        samples = known._samples
        given.setdefault("dataset", known.name)  # defaults follow the data too
        if known.classes == 0:
            given.setdefault("target_columns", [f"y{k}" for k in range(known.y_train.shape[1])])
    if given.get("data_dir") is not None:
        given["data_dir"] = os.path.abspath(given["data_dir"])

    own = None
    if out is None and resume is None:
        own = Temporary()
        out = os.path.join(own.name, "run")
    name_a_runtime_folder()
    told = Progress(progress)
    try:
        _asyt.train(
            text(named(given)),
            samples,
            outside,
            None if out is None else os.fspath(out),
            None if resume is None else os.fspath(resume),
            None if save_chip is None else os.fspath(save_chip),
            None if log_dir is None else os.fspath(log_dir),
            told,
        )
    except BaseException:
        if own is not None and os.path.isdir(out):
            own.keep()  # the error says what was kept there
        raise
    finally:
        told.close()
    return Run(out if resume is None else resume, data=known if samples is not None else None, _temporary=own)


class Run:
    """A finished run in its folder, of `asyt.train` or of the program.

    `metrics` are arrays, one entry per method and epoch; `summary` is summary.json; `results` its row of every method. `plot()` draws
    the scores, `to_pandas()` gives a table, and in a notebook the run shows itself.
    """

    def __init__(self, folder: PathLike, *, data: Optional[Data] = None, _temporary: Any = None):
        self.folder = Path(folder)
        self._temporary = _temporary
        self._data = data
        self._trained: Optional[_asyt.Trained] = None
        try:
            self.summary: dict[str, Any] = json.loads((self.folder / "summary.json").read_text())
            with open(self.folder / "metrics.csv", newline="") as file:
                rows = list(csv.DictReader(file))
        except FileNotFoundError as missing:
            raise UsageError(f"{folder} is no finished run of asyt train: it has no {Path(missing.filename).name}") from None
        self.metrics: dict[str, np.ndarray] = {name: _column([row[name] for row in rows]) for name in (rows[0] if rows else {})}

    @property
    def methods(self) -> list[str]:
        """The methods, in their order."""
        return list(dict.fromkeys(result["method"] for result in self.summary["results"]))

    @property
    def results(self) -> list[Result]:
        """What every method reached and what it read and wrote, a dictionary each."""
        return self.summary["results"]

    @property
    def notes(self) -> list[str]:
        """What makes one doubt the results."""
        return self.summary["notes"]

    @property
    def score(self) -> str:
        """What the run is judged by: accuracy, r_squared or mean_square_error."""
        return next(name[len("test_") :] for name in self.metrics if name.startswith("test_") and name != "test_loss")

    def __getitem__(self, method: str) -> dict[str, np.ndarray]:
        """The metrics of one method."""
        mine = self.metrics["method"] == method
        if not mine.any():
            raise UsageError(f"method {method} is none of this run; it has {', '.join(self.methods)}")
        return {name: column[mine] for name, column in self.metrics.items()}

    def checkpoint(self, method: Optional[str] = None) -> Path:
        """The checkpoint of a method, by default the first, for `start_from=`."""
        return self.folder / f"{self._method(method)}.safetensors"

    def _method(self, method: Optional[str]) -> str:
        return self.methods[0] if method is None else method

    def _inside(self) -> _asyt.Trained:
        if self._trained is None:
            self._trained = _asyt.Trained(os.fspath(self.folder), None if self._data is None else self._data._samples)
        return self._trained

    def controls(self, method: Optional[str] = None) -> np.ndarray:
        """The trained controls of a method, by default the first."""
        return self._inside().controls(self._method(method))

    def readouts(self, method: Optional[str] = None) -> np.ndarray:
        """What the chip gives for every test sample, `[sample, output]`, with the controls of a method."""
        return self._inside().readouts(self._method(method))

    def confusion(self, method: Optional[str] = None) -> np.ndarray:
        """Test samples `[true class, recognised class]`, counted."""
        labels, classes = self._inside().labels()
        if classes == 0:
            raise UsageError("targets are real; there are no classes to confuse")
        counts = np.zeros((classes, classes), dtype=np.int64)
        answers = self.readouts(method)[:, :classes].argmax(axis=1)  # the first of equals, as a training counts
        np.add.at(counts, (labels, answers), 1)
        return counts

    def export(
        self,
        out: PathLike,
        *,
        method: Optional[str] = None,
        only: Optional[Sequence[str]] = None,
        convention: Convention = "native",
        samples: Optional[Sequence[int]] = None,
    ) -> list[Path]:
        """Writes what was learned as npz and csv for other programs into `out`, a folder per method (`asyt export --help`), and gives the files.

        `only` names pieces: phases, controls, operators, samples, predictions.
        """
        from ._program import _run

        if self._data is not None and self._data._settings is None:
            raise UsageError("the program cannot load samples that were arrays; phases are in chip.phases(run.controls())")
        words = [os.fspath(self.folder), "--out", os.fspath(out), "--convention", convention]
        for flag, value in (("--method", method), ("--only", only and ",".join(only)), ("--samples", samples is not None and ",".join(map(str, samples)))):
            words += [flag, value] if value else []
        return [Path(entry["file"]) for entry in _run("export", words, quiet=True)["files"]]

    def to_pandas(self):
        """The metrics as a pandas table."""
        import pandas

        return pandas.DataFrame(self.metrics)

    def plot(self, axes=None):
        """Draws the test scores over the epochs with matplotlib; gives the axes."""
        if axes is None:
            import matplotlib.pyplot as pyplot

            axes = pyplot.subplots()[1]
        share = 100 if self.score == "accuracy" else 1
        for method in self.methods:
            own = self[method]
            for seed in dict.fromkeys(own["chip_seed"].tolist()):
                mine = own["chip_seed"] == seed
                axes.plot(own["epoch"][mine], share * own[f"test_{self.score}"][mine], label=method)
        axes.set_xlabel("epoch")
        axes.set_ylabel("test accuracy (%)" if share == 100 else f"test {self.score}".replace("_", " "))
        axes.legend()
        return axes

    def __repr__(self) -> str:
        key = f"final_test_{self.score}"
        ends = ", ".join(f"{result['method']} {result[key]:.4f}" for result in self.results)
        return f"<asyt.Run {self.summary['dataset']} on a chip of kind {self.summary['chip']}: test {self.score} {ends}>"

    def _repr_html_(self) -> str:
        shown = [("method", "method")] + [
            (f"final_test_{self.score}", f"final test {self.score}"),
            (f"best_test_{self.score}", f"best test {self.score}"),
            ("epochs", "epochs"),
            ("chip_reads", "chip reads"),
            ("control_writes", "control writes"),
            ("digital_passes", "digital passes"),
        ]
        head = "".join(f"<th>{html.escape(title)}</th>" for _, title in shown)
        cell = lambda value: html.escape(f"{value:.4f}" if isinstance(value, float) else f"{value}")  # noqa: E731
        body = "".join("<tr>" + "".join(f"<td>{cell(result[key])}</td>" for key, _ in shown) + "</tr>" for result in self.results)
        notes = "".join(f"<p>note: {html.escape(note)}</p>" for note in self.notes)
        picture = self.folder / f"{self.score.replace('_', '-')}.svg"
        svg = picture.read_text() if picture.exists() else ""
        svg = svg[svg.find("<svg") :] if "<svg" in svg else ""
        return f"{svg}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


def _column(texts: list[str]) -> np.ndarray:
    """A column of the table: integers, truths, numbers or words.

    >>> _column(["1", "2"]), _column(["0.5", "1e-3"]), _column(["true", "false"])
    (array([1, 2]), array([0.5  , 0.001]), array([ True, False]))
    """
    if set(texts) <= {"true", "false"}:
        return np.array([entry == "true" for entry in texts])
    for kind in (int, float):
        try:
            return np.array([kind(entry) for entry in texts])
        except (ValueError, OverflowError):
            continue
    return np.array(texts)


def open_run(folder: PathLike) -> Run:
    """A run that lies in a folder already."""
    return Run(folder)
