"""``python -m balmer``: the command line."""

import sys

from balmer.cli import main

if __name__ == "__main__":
    sys.exit(main())
