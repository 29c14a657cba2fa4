module example.invalid/lab/cert-manager

go 1.27.3
