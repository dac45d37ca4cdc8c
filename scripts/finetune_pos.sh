#!/usr/bin/env bash
# Parts of speech: scripts/finetune_pos.sh MODEL DATA_DIR OUT, three seeds on ud_thai_tud_pos.
set -euo pipefail
usage="usage: scripts/finetune_pos.sh MODEL DATA_DIR OUT"
model=${1:?$usage} data=${2:?$usage} out=${3:?$usage}
PATH=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin:$PATH
exec thaitok finetune "$model" --task ud_thai_tud_pos --data-dir "$data" --out "$out" --seeds 1,2,3
