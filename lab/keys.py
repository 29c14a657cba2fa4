"""Keys and passwords of the add-ons: random, made once per lab, in no repository."""

from __future__ import annotations

import json
import secrets

from lab import home
from lab.lock import alone


def key(name: str) -> str:
    """Return the key of this name, 32 hexadecimal digits; it is made when it is first asked for."""
    with alone("keys"):
        file = home.folder("cluster") / "keys.json"
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        if name not in known:
            known[name] = secrets.token_hex(16)
            home.write(file, json.dumps(known, indent=2) + "\n")
            file.chmod(0o600)
        return known[name]
