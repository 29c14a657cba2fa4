"""Draw the EPP's order of work, as where-to-change.py draws its questions."""

from __future__ import annotations

from pathlib import Path

from proofs.listings import imported

DATA = "epp-stages.json"

draw = imported(Path(__file__).with_name("where-to-change.py"), "where-to-change").draw
