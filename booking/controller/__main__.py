"""`python -m booking.controller --state DIR --broker URL --simulated`."""

import sys

from booking.controller.main import main

sys.exit(main())
