"""``python -m lossfn.testing``: check a loss from a shell."""

import sys

from lossfn.testing._command import main

if __name__ == "__main__":
    sys.exit(main())
