"""The program `asyt`, as `python -m asyt` and as the command of the wheel."""

import sys


def main() -> int:
    """Runs the program with this process's arguments, and gives its exit code."""
    from asyt import _asyt
    from asyt._settings import name_a_runtime_folder

    name_a_runtime_folder()
    sys.stdout.flush()
    return _asyt.program(["asyt", *sys.argv[1:]], [sys.executable, "-m", "asyt"])


if __name__ == "__main__":
    sys.exit(main())
