#!/bin/sh
# Print the objects that people make in this namespace, and all Namespaces.
kinds=namespaces,deployments,services,configmaps,secrets
kinds=$kinds,serviceaccounts,roles,rolebindings,networkpolicies
kinds=$kinds,resourcequotas,poddisruptionbudgets,inferencepools
kinds=$kinds,inferenceobjectives.llm-d.ai
kinds=$kinds,inferencemodelrewrites.llm-d.ai
kubectl get "$kinds" -o json
