#!/usr/bin/env bash
# Named entities: scripts/finetune_ner.sh MODEL DATA_DIR OUT, three seeds on thainer_v1.3.
set -euo pipefail
usage="usage: scripts/finetune_ner.sh MODEL DATA_DIR OUT"
model=${1:?$usage} data=${2:?$usage} out=${3:?$usage}
PATH=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin:$PATH
exec thaitok finetune "$model" --task thainer_v1.3 --data-dir "$data" --out "$out" --seeds 1,2,3
