#!/bin/sh
# Give the EPP another configuration; return when only the new pod is left.
set -eu
kubectl apply --server-side --force-conflicts -f "$1"
# The EPP reads its configuration once, when it starts.
kubectl rollout restart deployment/router
kubectl rollout status deployment/router --timeout=2m >/dev/null
# The old pod drains for up to 30 seconds, and would still answer.
router=app.kubernetes.io/name=router
until [ "$(kubectl get pods -o name --selector=$router | wc -l)" -eq 1 ]; do
  sleep 1
done
