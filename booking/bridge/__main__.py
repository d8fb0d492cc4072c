"""`python -m booking.bridge --state DIR --broker URL`."""

import sys

from booking.bridge.main import main

sys.exit(main())
