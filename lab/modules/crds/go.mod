module example.invalid/lab/crds

go 1.27.3

require sigs.k8s.io/gateway-api-inference-extension v1.5.0
