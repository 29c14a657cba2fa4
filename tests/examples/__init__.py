"""The proofs: one module per chapter, run on the lab by `nox -s examples`."""
