"""What can go wrong, as exceptions with the program's own words."""


class Error(Exception):
    """Anything that asyt has to say against a request. Its two kinds are `UsageError` and `RunError`."""


class UsageError(Error, ValueError):
    """The request makes no sense; the message names what, where, and what to do. The program ends with exit code 2."""


class RunError(Error, RuntimeError):
    """The request was tried and failed; what was done is kept. The program ends with exit code 1."""


class Note(UserWarning):
    """A doubt: something was taken although it can hardly be meant. It comes as a warning, and stays in the results."""
