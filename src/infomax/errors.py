"""Errors that a user can act on: each message says what was expected, what came, and what to do."""


class InfomaxError(Exception):
    """A run that cannot go on, in one plain sentence with its remedy. The command line prints it and exits with 1."""


class InputError(InfomaxError, ValueError):
    """Input that cannot be right: expected, received, remedy. The command line prints it and exits with 2."""


class LostProcess(InfomaxError):
    """Another process of a run on several is gone, so that none can go on."""
