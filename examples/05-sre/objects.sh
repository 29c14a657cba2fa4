#!/bin/sh
# Print a namespace's objects of these kinds, and all Namespaces.
kinds=namespaces,deployments,services,configmaps,secrets
kinds=$kinds,serviceaccounts,roles,rolebindings,networkpolicies
kinds=$kinds,resourcequotas,poddisruptionbudgets,inferencepools
kinds=$kinds,inferenceobjectives.llm-d.ai
kinds=$kinds,inferencemodelrewrites.llm-d.ai
kubectl get "$kinds" -o json
