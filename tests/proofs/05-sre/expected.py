"""What the API server holds of the chapter's objects, written out: as far as a reader would miss it."""

from __future__ import annotations

from typing import Any

LABELS = {"app.kubernetes.io/name": "simulator"}
HEALTH = {"httpGet": {"path": "/health", "port": "http", "scheme": "HTTP"}}
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
MODEL_SERVER: dict[str, Any] = {
    "replicas": 3,
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
    "selector": {"matchLabels": LABELS},
    "template": {
        "metadata": {
            "labels": {
                **LABELS,
                "app.kubernetes.io/component": "model-server",
                "app.kubernetes.io/part-of": "life-with-llm-d",
            }
        },
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 60,
            "topologySpreadConstraints": [
                {
                    "topologyKey": "topology.kubernetes.io/zone",
                    "maxSkew": 1,
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": LABELS},
                    "matchLabelKeys": ["pod-template-hash"],
                }
            ],
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "simulator",
                    "args": [
                        "--model=lab/sim-8b",
                        "--port=8000",
                        "--mode=echo",
                        "--max-num-seqs=5",
                        "--max-model-len=4096",
                        "--latency-calculator=per-token",
                        "--prefill-overhead=100ms",
                        "--prefill-time-per-token=1ms",
                        "--inter-token-latency=50ms",
                        "--enable-kvcache=true",
                        "--kv-cache-size=2048",
                        "--force-dummy-tokenizer",
                    ],
                    "startupProbe": {**HEALTH, "periodSeconds": 2, "failureThreshold": 300},
                    "readinessProbe": {**HEALTH, "periodSeconds": 1},
                    "livenessProbe": {**HEALTH, "periodSeconds": 10},
                    "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                    "resources": {
                        "requests": {"cpu": "20m", "memory": "32Mi"},
                        "limits": {"memory": "128Mi"},
                    },
                    "securityContext": RESTRICTED,
                }
            ],
        },
    },
}
BUDGET: dict[str, Any] = {
    "maxUnavailable": 1,
    "unhealthyPodEvictionPolicy": "AlwaysAllow",
    "selector": {"matchLabels": LABELS},
}
ROUTER: dict[str, Any] = {
    "replicas": 1,
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
    "template": {
        "metadata": {
            "annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": "19001",
                "prometheus.io/path": "/stats/prometheus",
            }
        },
        "spec": {"terminationGracePeriodSeconds": 60, "serviceAccountName": "endpoint-picker"},
    },
}
QUOTA = {
    "pods": "20",
    "requests.cpu": "4",
    "requests.memory": "8Gi",
    "limits.memory": "16Gi",
    "requests.nvidia.com/gpu": "8",
    "services.nodeports": "0",
    "services.loadbalancers": "0",
}
