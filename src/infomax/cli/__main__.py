"""`python -m infomax.cli`: the command line where the `infomax` script is not on the path."""

import sys

from infomax.cli.app import main

sys.exit(main())
