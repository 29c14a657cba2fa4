module example.invalid/lab/gateway-api

go 1.27.3

require sigs.k8s.io/gateway-api v1.6.1
