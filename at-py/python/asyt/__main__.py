"""The program `asyt`, as `python -m asyt` and as the command of the wheel."""

import os
import sys
import tempfile


def main() -> int:
    """Runs the program with this process's arguments, and gives its exit code."""
    from asyt import _asyt

    if not os.path.isdir(os.environ.get("XDG_RUNTIME_DIR", "")):
        os.environ["XDG_RUNTIME_DIR"] = tempfile.gettempdir()  # without one, Mesa's drivers print an error
    sys.stdout.flush()
    return _asyt.program(["asyt", *sys.argv[1:]], [sys.executable, "-m", "asyt"])


if __name__ == "__main__":
    sys.exit(main())
