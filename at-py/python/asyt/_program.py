"""What the program does by commands of its own: compare, sweep, evaluate, scale. They run as processes of it, as their trainings do."""

from __future__ import annotations

import html
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence, Union

from ._chip import Chip, Network
from ._data import Data, understood
from ._errors import RunError, UsageError
from ._settings import Temporary, flags, named
from ._types import Method

PathLike = Union[str, os.PathLike]


def _run(command: str, arguments: Sequence[str], quiet: bool) -> Any:
    """Runs `asyt command` and gives what it prints as JSON. Ctrl-C ends it as on a terminal, and what it has kept stays."""
    words = [sys.executable, "-m", "asyt", command, *arguments, "--json"]
    # a session of its own, so that it hears of Ctrl-C from here, once; twice would end it where it stands
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        out, said = process.communicate()
    except KeyboardInterrupt:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate()
        raise
    lines = said.strip().splitlines()
    if process.returncode != 0:
        last = next((line for line in reversed(lines) if line.startswith("error: ")), "error: " + "\n".join(lines[-3:]))
        last += "".join(f"; {line.strip()}" for line in lines if line.strip().startswith("tip: "))
        raise (UsageError if process.returncode == 2 else RunError)(last[len("error: ") :])
    if not quiet:
        print(said, file=sys.stderr, end="")
    return json.loads(out)


def _settings(network, chip, data, method, given: dict[str, Any]) -> dict[str, Any]:
    """The settings of a comparison as the command line has them."""
    given = dict(given, method=method)
    if network is None and isinstance(chip, Chip):
        network = chip.network
    if network is not None:
        given["network"] = Network(network).text
    if isinstance(chip, Chip):
        given.update({name.replace("-", "_"): value for name, value in chip.settings.items()})
    elif isinstance(chip, str):
        given["chip"] = chip
    elif chip is not None:
        raise UsageError("a chip of your own is trained by asyt.train; here chips are simulated, many of a kind")
    if data is not None:
        known = understood(data)
        if known._settings is None:
            raise UsageError("samples in arrays are for asyt.train; here pass a data set's name, or the path of a table, npz or folder")
        given.update({name.replace("-", "_"): value for name, value in known._settings.items()})
    return named(given)


class Report:
    """What a command of the program gave: `data` as it is in its JSON file, in `folder`, with the pictures that it drew."""

    def __init__(self, data: Any, folder: Optional[Path], table: Optional[str], _temporary: Any = None):
        self.data = data
        self.folder = folder
        self._table = table
        self._temporary = _temporary

    def to_pandas(self):
        """The table of the report (its CSV file) as a pandas table."""
        import pandas

        if self.folder is None or self._table is None:
            return pandas.json_normalize(self.data)
        return pandas.read_csv(self.folder / f"{self._table}.csv")

    def pictures(self) -> dict[str, str]:
        """The pictures by name, as SVG."""
        return {} if self.folder is None else {path.stem: path.read_text() for path in sorted(self.folder.glob("*.svg"))}

    def __getitem__(self, key):
        return self.data[key]

    def __str__(self) -> str:
        text = None if self.folder is None or self._table is None else self.folder / f"{self._table}.txt"
        return text.read_text() if text is not None and text.exists() else json.dumps(self.data, indent=2)

    def _repr_html_(self) -> str:
        pictures = list(self.pictures().values())[:1]
        return "".join(svg[svg.find("<svg") :] for svg in pictures) + f"<pre>{html.escape(str(self))}</pre>"


def _report(command: str, settings: dict[str, Any], extra: list[str], out: Optional[PathLike], resume: Optional[PathLike], quiet: bool) -> Report:
    own = None
    if resume is not None:
        folder = Path(resume)
        arguments = ["--resume", os.fspath(resume)]
    else:
        if out is None:
            own = Temporary()
            out = os.path.join(own.name, command)
        folder = Path(out)
        arguments = ["--out", os.fspath(out)]
    try:
        data = _run(command, [*arguments, *flags(settings), *extra, *(["--quiet"] if quiet else [])], quiet)
    except BaseException:
        if own is not None and folder.is_dir():
            own.keep()  # the error says what was kept there
        raise
    return Report(data, folder, command, own)


def compare(
    network=None,
    chip=None,
    data: Union[str, Data, None] = None,
    *,
    method: Union[Method, str, Sequence[Union[Method, str]], None] = None,
    chips: Optional[int] = None,
    out: Optional[PathLike] = None,
    resume: Optional[PathLike] = None,
    quiet: bool = True,
    **settings: Any,
) -> Report:
    """Compares methods on the same chips, as `asyt compare` does: scores with intervals, conversions, modelled time and energy.

    Its own settings are `chips`, `target`, `cost_model` and `jobs`; all others are those of `asyt.train`. Ctrl-C keeps what is done, and
    `resume=FOLDER` goes on.
    """
    return _report("compare", {**_settings(network, chip, data, method, settings), **named({"chips": chips})}, [], out, resume, quiet)


def sweep(
    network=None,
    chip=None,
    data: Union[str, Data, None] = None,
    *,
    vary: Mapping[str, Sequence[Any]],
    method: Union[Method, str, Sequence[Union[Method, str]], None] = None,
    chips: Optional[int] = None,
    out: Optional[PathLike] = None,
    resume: Optional[PathLike] = None,
    quiet: bool = True,
    **settings: Any,
) -> Report:
    """A comparison at every point of a grid, as `asyt sweep` does: `vary={"response_slope": [0, 0.2, 0.4]}`."""
    axes = [f"--vary={name.replace('_', '-')}={','.join(map(str, values))}" for name, values in vary.items()]
    return _report("sweep", {**_settings(network, chip, data, method, settings), **named({"chips": chips})}, axes, out, resume, quiet)


def evaluate(phases: PathLike, data: Union[str, Data], *, chip_errors: Sequence[PathLike] = (), quiet: bool = True, **settings: Any) -> dict[str, Any]:
    """The accuracy of the phases of a file on a chip with the errors of files, as `asyt evaluate` does."""
    known = understood(data)
    if known._settings is None:
        raise UsageError("samples in arrays are for asyt.train; here pass a data set's name")
    arguments = flags({**known._settings, **named(settings), "phases": os.fspath(phases)})
    errors = ["--chip-errors", *map(os.fspath, chip_errors)] if chip_errors else []
    return _run("evaluate", [*arguments, *errors], quiet)


def scale(*, out: Optional[PathLike] = None, quiet: bool = True, **settings: Any) -> Report:
    """How time, rate and memory of a training step grow with the size of a network, as `asyt scale` measures it."""
    return _report("scale", named(settings), [], out, None, quiet)
