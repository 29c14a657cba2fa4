#!/bin/sh
# Keep three ports of the router open, also after a restart; end with Ctrl-C.
# 8081: requests, 9090: metrics of the EPP, 19000: administration of Envoy
while true; do
  kubectl port-forward deployment/router 8081 9090 19000
  sleep 1
done
