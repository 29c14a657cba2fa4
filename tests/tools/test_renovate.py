"""Does Renovate follow every pin that can move alone?"""

from __future__ import annotations

import json
import re
from pathlib import Path

from lab.edition import versions

ROOT = Path(__file__).resolve().parents[2]
#: Pins that move with another: what Debian has, what Kubernetes brings, the older line of the
#: router, the version that a snapshot gives itself.
FOLLOW = {
    "debian": {"alertmanager", "debian", "pgvector", "postgres", "prometheus", "python", "redis", "registry"},
    "kubernetes": {"coredns", "etcd", "etcd-image", "pause"},
    "router": {"router-offline"},
    "istio-snapshot": {"istio"},
}


def test_every_pin_of_the_edition_is_followed_or_moves_with_another() -> None:
    edition = (ROOT / "edition.toml").read_text()
    found = {}
    for manager in json.loads((ROOT / "renovate.json").read_text())["customManagers"]:
        (pattern,) = manager["matchStrings"]
        (value,) = re.findall(pattern.replace("(?<", "(?P<"), edition)
        found[pattern.split()[0].removeprefix(r"\n")] = value
    assert found.items() <= versions().items()
    assert versions().keys() - found.keys() == set().union(*FOLLOW.values())
