#!/usr/bin/env bash
# Check an installation in the namespace of the current kubectl context. Each
# failure names its remedy; the exit status counts them.
# Usage: bash verify.sh [<deployment> [<pods> [<model> [<router>]]]]
set -uo pipefail

server=${1:-simulator} pods=${2:-3} model=${3:-lab/sim-8b} router=${4:-router}
failures=0

report() { # report <what> <remedy>: tell how the command before it ended
  local status=$?
  if ((status == 0)); then
    printf 'ok      %s\n' "$1"
  else
    printf 'FAILED  %s\n        -> %s\n' "$1" "$2"
    failures=$((failures + 1))
  fi
}

namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
service=/api/v1/namespaces/${namespace:-default}/services/$router

kubectl get --raw /readyz --request-timeout=10s &>/dev/null
report "the API server answers" "check: kubectl config current-context"
((failures == 0)) || exit "$failures" # it would have to answer the rest

kubectl wait --for=condition=Established --timeout=10s \
  crd/inferencepools.inference.networking.k8s.io &>/dev/null
report "the cluster knows inference pools" \
  "install the CRDs of the inference extension"

for deployment in "$server" "$router"; do
  kubectl wait --for=condition=Available --timeout=10s \
    "deployment/$deployment" &>/dev/null
  report "the deployment $deployment is available" \
    "kubectl describe deployment,replicaset,pods"
done

# The picker brings this number up to date every five seconds.
for _ in {1..7}; do
  seen=$(kubectl get --raw "$service:9090/proxy/metrics" 2>/dev/null |
    awk '/^inference_pool_ready_pods/ { print $2 }')
  [[ $seen == "$pods" ]] && break
  sleep 1
done
[[ $seen == "$pods" ]]
report "the endpoint picker sees $pods pod(s)" \
  "it sees ${seen:-none}; compare: kubectl get pods --show-labels"

# A list, which the picker doesn't schedule: chat.py asks the model.
kubectl get --raw "$service:8081/proxy/v1/models" 2>/dev/null |
  grep --quiet "\"id\":\"$model\""
report "the router lists the model $model" \
  "kubectl logs deployment/$router --all-containers"

exit "$failures"
