"""Print one table of several result folders: scripts/results.py RESULT..."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from finetune.report import results_table

columns, rows = results_table([Path(folder) for folder in sys.argv[1:]])
table = Table(*columns, box=None, pad_edge=False)
for row in rows:
    table.add_row(*row)
Console().print(table)
