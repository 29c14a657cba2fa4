"""The proofs of the book, the harness that runs them, and the tests of the rest."""
