"""`python -m pipeline` is `dragoman`, for where the script is not on the path."""

from __future__ import annotations

import sys

from pipeline.cli import main

if __name__ == "__main__":  # an import alone, as a tool may do it, runs nothing
    sys.exit(main())
