"""`python -m cornu program.py` runs a Keras program; `python -m cornu info` is `cornu info`."""

import sys

from cornu.cli import main

if __name__ == "__main__":
    sys.exit(main())
