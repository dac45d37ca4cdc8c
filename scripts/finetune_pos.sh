#!/usr/bin/env bash
# Parts of speech: scripts/finetune_pos.sh MODEL [DATA_DIR] OUT, three seeds, one table.
#
# DATA_DIR holds ud_thai_tud_pos, orchidpp_pos, lst20_pos or ud_thai_pud_pos, those of them that are
# to be run; without it UD Thai-PUD comes from the Hub. Stopped, it goes on when it is run again.
set -euo pipefail
usage="usage: scripts/finetune_pos.sh MODEL [DATA_DIR] OUT"
model=${1:?$usage} out=${3:-${2:?$usage}} data=${3:+$2}
tasks=
for task in ud_thai_tud_pos orchidpp_pos lst20_pos ud_thai_pud_pos; do
    if [ -n "$data" ] && [ -d "$data/$task" ]; then tasks+=${tasks:+,}$task; fi
done
PATH=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin:$PATH
exec thaitok benchmark "$model" --tasks "${tasks:-ud_thai_pud_pos}" ${data:+--data-dir "$data"} \
    --out "$out" --seeds 1,2,3
