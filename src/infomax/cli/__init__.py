"""The command line: arguments in, one call of the library, a report out.

It parses its arguments first and imports what a command needs inside that command, so that `--help` answers at once.
"""

from infomax.cli.app import main

__all__ = ["main"]
