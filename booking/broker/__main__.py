"""`python -m booking.broker STATE`: become the broker that was prepared there."""

import sys
from pathlib import Path

from booking.broker.serving import serve

if __name__ == "__main__":
    sys.exit(serve(Path(sys.argv[1])))
