"""Which headers and reasons stand in the programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.reference.programs import Programs


def record(programs: Programs, words: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return header or reason -> the programs whose text holds it."""
    texts = {
        "endpoint picker": programs.picker.bytes,
        "sidecar": programs.sidecar.read_bytes(),
        "simulator": programs.simulator.read_bytes(),
    }
    lower = {name: text.lower() for name, text in texts.items()}
    entries = [*words["headers"], *words["reasons"]]
    names = [entry[key] for entry in entries for key in ("name", "alias") if key in entry]
    return {name: [program for program in texts if name.lower().encode() in lower[program]] for name in names}
