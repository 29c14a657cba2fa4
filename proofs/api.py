"""What the test modules of a chapter import; the manual is the docstring of `proofs`."""

from __future__ import annotations

from proofs.chapters import Chapter, chapter_of
from proofs.claims import Mutant, proves
from proofs.failures import (
    CommandFailed,
    DeadlinePassed,
    HarnessError,
    Missing,
    ProofFailed,
    Refused,
)
from proofs.proof import Proof
from proofs.sameness import counterpart

__all__ = [
    "Chapter",
    "CommandFailed",
    "DeadlinePassed",
    "HarnessError",
    "Missing",
    "Mutant",
    "Proof",
    "ProofFailed",
    "Refused",
    "chapter_of",
    "counterpart",
    "proves",
]
