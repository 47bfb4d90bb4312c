"""Settings: keyword arguments become the text of a settings file, in which they have the names of the flags."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import weakref
from typing import Any

from . import _asyt
from ._errors import UsageError

class Temporary:
    """A folder that goes with this object, unless it is kept."""

    def __init__(self):
        self.name = tempfile.mkdtemp(prefix="asyt-")
        self._end = weakref.finalize(self, shutil.rmtree, self.name, ignore_errors=True)

    def keep(self) -> None:
        """It stays."""
        self._end.detach()


_NAMES = frozenset(_asyt.settings_names())


def value(given: Any) -> str:
    """A value as TOML has it.

    >>> value(["at", "pat"]), value(0.1), value(True), value({"kind": "mesh", "modes": 8})
    ('["at", "pat"]', '0.1', 'true', '{ "kind" = "mesh", "modes" = 8 }')
    """
    if hasattr(given, "item") and getattr(given, "ndim", 0) == 0:
        given = given.item()  # a scalar of numpy
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, int):
        return str(given)
    if isinstance(given, float):
        return repr(given)
    if isinstance(given, (str, os.PathLike)):
        return json.dumps(os.fspath(given), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(given, dict):
        return "{ " + ", ".join(f"{value(str(name))} = {value(entry)}" for name, entry in given.items()) + " }"
    if isinstance(given, (list, tuple)):
        return "[" + ", ".join(value(entry) for entry in given) + "]"
    raise UsageError(f"a setting is a number, a text, or a list of them, not {type(given).__name__}")


def named(given: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments under the names of the flags; what is None is not given.

    >>> named({"learning_rate": 0.1, "epochs": None})
    {'learning-rate': 0.1}
    """
    return {name.replace("_", "-"): entry for name, entry in given.items() if entry is not None}


def text(settings: dict[str, Any]) -> str:
    """Settings as a TOML file. An unknown name is an error that the program words, with the nearest known one.

    >>> print(text({"method": "at,ideal", "epochs": 3}))
    method = ["at", "ideal"]
    epochs = 3
    """
    lines = []
    for name, given in settings.items():
        listed = name in ("method", "target-columns", "chip-errors")
        if listed and isinstance(given, (str, os.PathLike)):
            given = os.fspath(given).split(",") if name != "chip-errors" else [given]
        lines.append(f"{name if name in _NAMES else value(name)} = {value(given)}")
    return "\n".join(lines)


def flags(settings: dict[str, Any]) -> list[str]:
    """Settings as flags of the command line.

    >>> flags({"method": ["at", "ideal"], "uncalibrated": True})
    ['--method=at,ideal', '--uncalibrated=true']
    """
    shown = []
    for name, given in settings.items():
        if name == "chip-errors" and isinstance(given, (list, tuple)):
            shown += ["--chip-errors", *map(os.fspath, given)]
            continue
        if isinstance(given, (list, tuple)) and not any(isinstance(entry, (list, tuple, dict)) for entry in given):
            entries = ",".join(map(str, given))
        elif isinstance(given, bool):
            entries = str(given).lower()
        elif isinstance(given, (list, tuple, dict)):
            raise UsageError(f"{name} can be written out in asyt.train only; here it is a word, as mesh:64x3")
        else:
            entries = str(given)
        shown.append(f"--{name}={entries}")
    return shown


def name_a_runtime_folder() -> None:
    """Without one, Mesa's Vulkan drivers print an error while it is looked for a GPU."""
    if os.name == "posix" and not os.path.isdir(os.environ.get("XDG_RUNTIME_DIR", "")):
        os.environ["XDG_RUNTIME_DIR"] = tempfile.gettempdir()
