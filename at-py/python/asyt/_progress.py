"""Progress of long work: a bar of tqdm where it is there and wanted, and notes as warnings."""

from __future__ import annotations

import sys
import warnings
from typing import Any, Optional

from ._errors import Note


class Progress:
    """Hears what a training tells, in the thread that has begun it."""

    def __init__(self, shown: Optional[bool]):
        self._bar: Any = None
        self._tqdm = None
        self._method: Optional[str] = None
        if shown is None:
            shown = sys.stderr.isatty() or "ipykernel" in sys.modules
        if shown:
            try:
                from tqdm.auto import tqdm

                self._tqdm = tqdm
            except ImportError:
                pass

    def __call__(self, notes, at, batch, last) -> None:
        for note in notes:
            warnings.warn(note, Note, stacklevel=4)
        if self._tqdm is None or at is None:
            return
        method, done, epochs = at
        if method != self._method:
            self.close()
            self._method, self._bar = method, self._tqdm(total=epochs, desc=method, unit="epoch")
        self._bar.n = done + (batch[0] / batch[1] if batch[1] and done < epochs else 0)
        if last is not None:
            self._bar.set_postfix(loss=f"{last[0]:.4f}", test=f"{last[1]:.4f}", refresh=False)
        self._bar.refresh()

    def close(self) -> None:
        """Leaves the bar where it is."""
        if self._bar is not None:
            self._bar.n = round(self._bar.n, 2)
            self._bar.close()
            self._bar = None
