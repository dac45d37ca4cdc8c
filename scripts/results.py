"""Print one table of several result folders: scripts/results.py RESULT..."""

from __future__ import annotations

import sys
from pathlib import Path

from finetune.measure.report import results_table
from thaitok.errors import UserError
from thaitok.show import print_table

try:
    print_table("Results", *results_table([Path(folder) for folder in sys.argv[1:]]))
except UserError as err:
    sys.exit(f"results.py: error: {err}")
