"""Tests of what a proof is: the package `proofs`."""
