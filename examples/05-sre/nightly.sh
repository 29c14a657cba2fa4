#!/bin/sh
# Ask questions of low priority, all at once, and count the statuses.
# nightly.sh <number>
words=$(printf ' word%.0s' $(seq 29))
asked="{\"role\": \"user\", \"content\": \"{}$words\"}"
seq "$1" | xargs -P "$1" -I{} curl -sS -o /dev/null -w '%{http_code}\n' \
  --header 'x-llm-d-inference-objective: nightly' --json \
  "{\"model\": \"lab/sim-8b\", \"max_tokens\": 30, \"messages\": [$asked]}" \
  "${ROUTER_URL:-http://localhost:8081}/v1/chat/completions" |
  sort | uniq -c
