#!/usr/bin/env bash
# Sentiment: scripts/finetune_sentiment.sh MODEL DATA_DIR OUT, three seeds on wisesight_sentiment.
set -euo pipefail
usage="usage: scripts/finetune_sentiment.sh MODEL DATA_DIR OUT"
model=${1:?$usage} data=${2:?$usage} out=${3:?$usage}
PATH=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin:$PATH
exec thaitok finetune "$model" --task wisesight_sentiment --data-dir "$data" --out "$out" --seeds 1,2,3
