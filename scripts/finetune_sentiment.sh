#!/usr/bin/env bash
# Sentiment: scripts/finetune_sentiment.sh MODEL [DATA_DIR] OUT, three seeds, one table.
#
# DATA_DIR holds wisesight_sentiment/{train,validation,test}.jsonl, and other tasks of the family
# or not; without it all three come from the Hub. Stopped, it goes on when it is run again.
set -euo pipefail
usage="usage: scripts/finetune_sentiment.sh MODEL [DATA_DIR] OUT"
model=${1:?$usage} out=${3:-${2:?$usage}} data=${3:+$2}
tasks=wisesight_sentiment
for task in wongnai_reviews generated_reviews_enth; do
    if [ -z "$data" ] || [ -d "$data/$task" ]; then tasks+=,$task; fi
done
PATH=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin:$PATH
exec thaitok benchmark "$model" --tasks "$tasks" ${data:+--data-dir "$data"} --out "$out" --seeds 1,2,3
