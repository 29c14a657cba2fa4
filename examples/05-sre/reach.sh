#!/bin/sh
# Ask a model server from a pod of another namespace, past the router.
address=$(kubectl get pods -l app.kubernetes.io/name=simulator \
  --field-selector=status.phase=Running \
  --output=jsonpath='{.items[0].status.podIP}')
kubectl exec --namespace=client deployment/client -- python3 -c "
from urllib.request import urlopen

try:
    print('status', urlopen('http://$address:8000/health', timeout=3).status)
except OSError as error:
    print('refused:', getattr(error, 'reason', error))
"
