#!/usr/bin/env bash
# Named entities: scripts/finetune_ner.sh MODEL [DATA_DIR] OUT, three seeds, one table.
#
# DATA_DIR holds thainer_v1.3/{train,validation,test}.jsonl, and thai_nner/ (nested) and lst20_ner/
# or not; without it ThaiNER comes from the Hub. Stopped, it goes on when it is run again.
set -euo pipefail
usage="usage: scripts/finetune_ner.sh MODEL [DATA_DIR] OUT"
model=${1:?$usage} out=${3:-${2:?$usage}} data=${3:+$2}
tasks=thainer_v1.3
for task in thainer_v2 thai_nner lst20_ner; do
    if [ -n "$data" ] && [ -d "$data/$task" ]; then tasks+=,$task; fi
done
PATH=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin:$PATH
exec thaitok benchmark "$model" --tasks "$tasks" ${data:+--data-dir "$data"} --out "$out" --seeds 1,2,3
