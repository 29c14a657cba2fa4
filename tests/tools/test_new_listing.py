"""Does `nox -s new` begin a listing and its proof, and refuse with a sentence what it cannot begin?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from proofs.claims import Claim
from proofs.listings import imported
from proofs.outline import load_outline
from proofs.static_checks import findings
from tools.new_listing import SKELETONS, NewListingError, begin, main

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = load_outline(ROOT / "source").chapters[3]
SLUG = CHAPTER.slug
FILES = [
    "batch-job.yaml",
    "refused/batch-job.yaml",
    "batch_job.py",
    "batch-job.sh",
    "batch-job.console",
    "batch-job.toml",
    "batch-job.json",
    "overlays/chat/kustomization.yaml",
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with the book's outline and style, and nothing else."""
    (tmp_path / "source").mkdir()
    shutil.copy(ROOT / "source/outline.toml", tmp_path / "source")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "proofs").symlink_to(ROOT / "proofs")  # its imports are sorted as the project's own
    return tmp_path


def written(project: Path) -> set[str]:
    """Return the files of a project that were not there from the start."""
    files = (path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file())
    return set(files) - {"source/outline.toml", "pyproject.toml"}


def proofs_of(project: Path) -> list[Path]:
    """Return the modules of proofs in a project's chapter."""
    return sorted((project / "tests/proofs" / SLUG).glob("test_*.py"))


def claim_in(proof: Path) -> Claim:
    """Return what the one proof of a module claims."""
    marks = [mark for one in vars(imported(proof, proof.stem)).values() for mark in marks_of(one)]
    (claim,) = [mark.args[0] for mark in marks if mark.name == "proves"]
    assert isinstance(claim, Claim)
    return claim


def marks_of(function: object) -> list[pytest.Mark]:
    """Return the marks that a test carries."""
    return list(getattr(function, "pytestmark", []))


def run(project: Path) -> subprocess.CompletedProcess[str]:
    """Run a project's proofs as its own session, with the plugin of proofs alone."""
    (project / "pytest.ini").write_text("[pytest]\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "proofs.plugin",
            "-p",
            "no:cacheprovider",
            "--check",
            "tests/proofs",
        ],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("file", FILES)
def test_a_listing_and_its_proof_are_begun(file: str, project: Path) -> None:
    idea = Path(file).stem.replace("-", "_")
    said = begin(project, f"{SLUG}/{file}")
    proof = f"tests/proofs/{SLUG}/test_{idea}.py"
    assert written(project) == {f"examples/{SLUG}/{file}", proof}
    directive = "transcript" if file.endswith(".console") else "listing"
    assert f"```{{{directive}}} {SLUG}/{file}\n:caption: " in said
    assert f"source/{CHAPTER.page}.md" in said
    assert f"nox -s examples -- {proof} --record" in said


@pytest.mark.parametrize("file", FILES)
def test_what_is_begun_passes_the_gates_of_listings(file: str, project: Path) -> None:
    begin(project, f"{SLUG}/{file}")
    listing = project / "examples" / SLUG / file
    assert list(findings(f"{SLUG}/{file}", listing)) == []
    assert "${" not in listing.read_text()


@pytest.mark.parametrize("file", FILES)
def test_the_claim_is_in_order_and_keeps_the_style_of_the_project(file: str, project: Path) -> None:
    begin(project, f"{SLUG}/{file}")
    (proof,) = proofs_of(project)
    claim = claim_in(proof)
    assert claim.listings == (f"{SLUG}/{file}",)
    assert list(claim.faults(project)) == []
    text = (project / "examples" / SLUG / file).read_text()
    assert all(mutant.mutate(text) != text for mutant in claim.mutants)
    for check in (["check"], ["format", "--check"]):
        subprocess.run([sys.executable, "-m", "ruff", *check, "--quiet", proof], check=True)


@pytest.mark.parametrize("file", ["batch_job.py", "batch-job.toml", "batch-job.json"])
def test_a_proof_fails_with_a_sentence_until_it_is_filled_in(file: str, project: Path) -> None:
    begin(project, f"{SLUG}/{file}")
    (proof,) = proofs_of(project)
    unfilled = run(project)
    assert unfilled.returncode == 1
    assert "Failed: assert here what a reader of the listing sees, then remove this line" in unfilled.stdout
    kept = [line for line in proof.read_text().splitlines(keepends=True) if "pytest" not in line]
    proof.write_text("".join(kept))
    filled = run(project)
    assert "2 passed" in filled.stdout, filled.stdout + filled.stderr  # the listing as it is, and its mutant


@pytest.mark.parametrize(
    ("listing", "sentence"),
    [
        (
            "04-data-scientits/a.yaml",
            "'04-data-scientits'; the nearest is 04-data-scientist, and all are 01-",
        ),
        ("nowhere/a.yaml", "no chapter 'nowhere'; the nearest is .*, and all are 01-"),
        ("../a.yaml", "lies in no chapter"),
        ("/tmp/a.yaml", "lies in no chapter"),  # noqa: S108 - nothing is written there
        ("a.yaml", "lies in no chapter"),
        (f"{SLUG}/../a.yaml", "lies in no chapter"),
        (f"{SLUG}/BatchJob.yaml", r"no name for a listing; write it as kebab-case\.yaml"),
        (f"{SLUG}/batch_job.yaml", r"kebab-case\.yaml"),
        (f"{SLUG}/batch-job.py", r"snake_case\.py"),
        (f"{SLUG}/{'a' * 51}.yaml", "at most 50 letters"),
        (f"{SLUG}/Over Lays/a.yaml", "the folder 'Over Lays'"),
        (f"{SLUG}/a.txt", r"no skeleton for \.txt; choose one of \.yaml"),
        (f"{SLUG}/batch", "no skeleton for a file without suffix"),
        (f"{SLUG}/refused/a.py", r"no skeleton for refused/\.py"),
        (f"{SLUG}/3d.py", r"snake_case\.py"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_written(
    listing: str, sentence: str, project: Path
) -> None:
    with pytest.raises(NewListingError, match=sentence):
        begin(project, listing)
    assert written(project) == set()


def test_nothing_is_overwritten(project: Path) -> None:
    begin(project, f"{SLUG}/batch-job.yaml")
    (project / f"examples/{SLUG}/batch-job.yaml").write_text("mine\n")
    with pytest.raises(NewListingError, match=r"batch-job\.yaml and .*test_batch_job\.py exists already"):
        begin(project, f"{SLUG}/batch-job.yaml")
    with pytest.raises(NewListingError, match=r"^tests/proofs/.*test_batch_job\.py exists already"):
        begin(project, f"{SLUG}/batch-job.console")
    assert written(project) == {f"examples/{SLUG}/batch-job.yaml", f"tests/proofs/{SLUG}/test_batch_job.py"}
    assert (project / f"examples/{SLUG}/batch-job.yaml").read_text() == "mine\n"


def test_two_listings_of_one_name_have_proofs_of_two_names(project: Path) -> None:
    begin(project, f"{SLUG}/batch-job.yaml")
    begin(project, f"examples/{SLUG}/batch-job.console", idea="batch_job_runs")
    assert (project / f"tests/proofs/{SLUG}/test_batch_job_runs.py").is_file()
    with pytest.raises(NewListingError, match="'Batch job'; name it in snake_case with --idea"):
        begin(project, f"{SLUG}/other.yaml", idea="Batch job")


def test_the_command_line_refuses_with_the_sentence_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["new", "nowhere/a.yaml"])
    with pytest.raises(SystemExit, match=r"^source/outline\.toml has no chapter 'nowhere'"):
        main()


def test_every_skeleton_is_tried_here() -> None:
    kinds = {f"refused/{Path(file).suffix}" if "refused" in file else Path(file).suffix for file in FILES}
    assert kinds == tomllib.loads(SKELETONS.read_text()).keys() - {"claim"}
