#!/bin/sh
# Keep the ports of this chapter open, also after a restart; end with Ctrl-C.
# 8081: requests, 9091: Prometheus, 8333: the object store, if there is one
trap 'kill 0' EXIT

forward() { # forward <namespace> <target> <ports>
  while true; do
    kubectl port-forward --namespace="$1" "$2" "$3" 2>/dev/null
    sleep 1
  done
}

namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
forward prometheus service/prometheus 9091:9090 &
forward objects service/s3 8333 &
forward "$namespace" service/router 8081
