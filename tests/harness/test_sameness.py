"""Does a change count exactly where something that reads the listing can tell it?"""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from proofs.sameness import Selected, essence, selected_labels

ROUTER = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: router
  labels: {app: router, tier: web, llm-d.ai/role: decode}
spec:
  selector:
    matchLabels: {app: router}
  template:
    metadata:
      labels: {app: router, tier: web}
    spec:
      containers:
        - name: router
          args: [--port=1, --mode=echo]
          command: [python3, -c]
          securityContext: {capabilities: {drop: [ALL, NET_RAW]}}
"""
SETTINGS = """\
kind: ConfigMap
data:
  config.yaml: |
    # what it is for
    plugins: [a, b]
  run.py: |
    # what it does
    print(1)
  notes.txt: |
    one: two: three
"""


@pytest.fixture
def selected(tmp_path: Path) -> Selected:
    """Return what a chapter selects: app of pods, by a Deployment, and tier of them, by a script."""
    chapter = tmp_path / "examples/01-demo"
    chapter.mkdir(parents=True)
    (chapter / "router.yaml").write_text(ROUTER)
    (chapter / "look.sh").write_text("kubectl get pods \\\n  -l tier=web\n")
    (chapter / "policy.yaml").write_text("namespaceSelector:\n  matchLabels: {user: any}\n")
    return selected_labels(tmp_path, "01-demo")


@pytest.mark.parametrize(
    ("text", "old", "new", "same"),
    [
        (ROUTER, "labels: {app: router, tier: web, llm", "labels: {app: other, tier: mail, llm", True),
        (ROUTER, "role: decode", "role: prefill", False),
        (ROUTER, "      labels: {app: router", "      labels: {app: other", False),
        (ROUTER, "      labels: {app: router, tier: web", "      labels: {app: router, tier: mail", False),
        (ROUTER, "matchLabels: {app: router", "matchLabels: {app: other", False),
        (ROUTER, "[--port=1, --mode=echo]", "[--mode=echo, --port=1]", True),
        (ROUTER, "[python3, -c]", "[-c, python3]", False),
        (ROUTER, "[ALL, NET_RAW]", "[NET_RAW, ALL]", True),
        (ROUTER, "[ALL, NET_RAW]", "[NET_RAW]", False),
        (SETTINGS, "# what it is for", "# nothing", True),
        (SETTINGS, "[a, b]", "[b, a]", False),
        (SETTINGS, "# what it does", "# nothing", True),
        (SETTINGS, "print(1)", "print(2)", False),
        (SETTINGS, "two: three", "two: four", False),
        ("kind: Namespace\nmetadata:\n  labels: {user: any}\n", "user: any", "user: no", False),
    ],
)
def test_a_change_counts_where_a_reader_of_the_listing_can_tell_it(
    selected: Selected, text: str, old: str, new: str, *, same: bool
) -> None:
    assert text.count(old) == 1
    before, after = (YAML(typ="safe").load(one) for one in (text, text.replace(old, new)))
    assert (essence(before, selected) == essence(after, selected)) is same
