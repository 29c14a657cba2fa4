#!/bin/sh
# Ask for the eviction of every model server at once, as `kubectl drain` would
# for those of one node. Each answer is the API server's.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
for pod in $(kubectl get pods -l app.kubernetes.io/name=simulator \
  -o jsonpath='{.items[*].metadata.name}'); do
  printf '{"apiVersion": "policy/v1", "kind": "Eviction",
    "metadata": {"name": "%s"}}' "$pod" |
    kubectl create -f - --raw \
      "/api/v1/namespaces/$namespace/pods/$pod/eviction" 2>&1 |
    grep --only-matching -e 'Success' -e 'Cannot evict pod.*budget'
done
