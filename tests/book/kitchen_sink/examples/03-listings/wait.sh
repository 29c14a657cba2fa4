#!/usr/bin/env bash
# Wait until every pod of a pool answers, or say which one does not.
set -euo pipefail
namespace="${1:?usage: wait.sh <namespace>}"
for pod in $(kubectl --namespace "$namespace" get pods --output name); do
  kubectl --namespace "$namespace" wait "$pod" --for condition=Ready \
    --timeout 60s || { echo "$pod does not answer" >&2; exit 1; }
done
echo "every pod of $namespace answers"
