"""`python -m ddsp_studio` is the command line."""

import sys

from ddsp_studio.cli import main

sys.exit(main())
