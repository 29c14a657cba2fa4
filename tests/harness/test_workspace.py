"""Whether a run works on a copy that differs from the listings only as it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.edition import images, versions
from proofs.claims import Mutant
from proofs.failures import HarnessError
from proofs.listings import listing_files
from proofs.workspace import Workspace, as_printed, as_the_lab_takes_it

NEWEST = versions()["router"]
OLDER = versions()["router-offline"]
POD = f"""\
# The endpoint picker.
kind: Pod
metadata:
  namespace: llm-d
spec:
  containers:
    - image: {images()["router"].name}
"""
NEEDS_NEWEST = """\
kind: ConfigMap
data:
  config.yaml: |
    kind: EndpointPickerConfig
    plugins:
      - type: session-affinity-filter
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with a chapter of four listings."""
    chapter = tmp_path / "examples/01-demo"
    (chapter / "refused").mkdir(parents=True)
    (chapter / "pod.yaml").write_text(POD)
    (chapter / "newest.yaml").write_text(NEEDS_NEWEST)
    (chapter / "greet.py").write_text('print("namespace: llm-d")\n')
    (chapter / "refused/twice.yaml").write_text("kind: Pod\nkind: Pod\nnamespace: llm-d\n")
    return tmp_path


def test_evidence_without_a_cluster_is_about_the_files_own_bytes(root: Path) -> None:
    workspace = Workspace(root, root / "copy", None, as_printed)
    assert workspace.path("01-demo/pod.yaml").read_text() == POD


def test_the_newest_router_line_gets_the_text_with_only_the_namespace_exchanged(root: Path) -> None:
    workspace = Workspace(root, root / "copy", None, as_the_lab_takes_it(NEWEST, "proof-1"))
    assert workspace.path("01-demo/pod.yaml").read_text() == POD.replace(": llm-d", ": proof-1")
    assert workspace.path("01-demo/newest.yaml").read_text() == NEEDS_NEWEST
    assert workspace.path("01-demo/greet.py").read_text() == 'print("namespace: llm-d")\n'


def test_the_older_router_line_gets_a_translation(root: Path) -> None:
    workspace = Workspace(root, root / "copy", None, as_the_lab_takes_it(OLDER, "proof-1"))
    text = workspace.path("01-demo/pod.yaml").read_text()
    assert images()["router-offline"].name in text
    assert "namespace: proof-1" in text


def test_what_a_router_line_cannot_do_is_skipped_with_the_reason(root: Path) -> None:
    workspace = Workspace(root, root / "copy", None, as_the_lab_takes_it(OLDER, "proof-1"))
    workspace.path("01-demo/pod.yaml")
    with pytest.raises(pytest.skip.Exception, match=r"newest\.yaml.*needs router"):
        workspace.path("01-demo/newest.yaml")


def test_a_refused_listing_is_not_read_by_the_translation(root: Path) -> None:
    workspace = Workspace(root, root / "copy", None, as_the_lab_takes_it(OLDER, "proof-1"))
    text = workspace.path("01-demo/refused/twice.yaml").read_text()
    assert text == "kind: Pod\nkind: Pod\nnamespace: proof-1\n"


def test_a_mutant_changes_one_copy_and_no_listing(root: Path) -> None:
    mutant = Mutant("01-demo/greet.py", "llm-d", "other", because="another text")
    workspace = Workspace(root, root / "copy", mutant, as_printed)
    assert "other" in workspace.path("01-demo/greet.py").read_text()
    assert workspace.path("01-demo/pod.yaml").read_text() == POD
    assert "llm-d" in (root / "examples/01-demo/greet.py").read_text()


def test_a_mutant_that_is_no_yaml_any_more_is_an_error(root: Path) -> None:
    mutant = Mutant("01-demo/pod.yaml", "kind: Pod", "kind: [Pod", because="it breaks")
    workspace = Workspace(root, root / "copy", mutant, as_the_lab_takes_it(OLDER, "proof-1"))
    with pytest.raises(HarnessError, match=r"examples/01-demo/pod\.yaml: .*its mutant"):
        workspace.path("01-demo/pod.yaml")


def test_listings_that_were_opened_are_known(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(root, root / "copy", None, as_printed)
    workspace.path("01-demo/pod.yaml")
    workspace.path("01-demo/greet.py").read_text()
    assert workspace.opened() == ("01-demo/greet.py",)
    monkeypatch.setattr("proofs.workspace._notes_access", lambda _: False)  # mounted with noatime
    assert workspace.opened() == tuple(sorted(listing_files(root)))


@pytest.mark.parametrize("listing", ["01-demo/gone.yaml", "02-gone/pod.yaml"])
def test_a_listing_that_does_not_exist_is_an_error(root: Path, listing: str) -> None:
    workspace = Workspace(root, root / "copy", None, as_printed)
    with pytest.raises(HarnessError, match="does not exist; correct the path"):
        workspace.path(listing)
