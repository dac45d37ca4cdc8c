"""`python -m thaitok` is the `thaitok` command."""

import sys

from thaitok.cli import main

sys.exit(main())
