#!/bin/sh
# A Project's range of user IDs, two policies, and a user outside the range.
kubectl apply --server-side --force-conflicts \
  -f restricted-namespace.yaml \
  -f restricted-assign-user.yaml -f restricted-check-user.yaml
kubectl rollout restart deployment/router deployment/simulator
kubectl rollout status deployment/simulator --timeout=120s
kubectl patch deployment/simulator --patch 'spec:
  template: {spec: {securityContext: {runAsUser: 65532}}}'
sleep 10
kubectl get events --field-selector=reason=FailedCreate | grep runAsUser
