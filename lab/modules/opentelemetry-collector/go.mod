module example.invalid/lab/opentelemetry-collector

go 1.27.3
