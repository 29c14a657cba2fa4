"""How long do the lab, the proofs and the editions take? `nox -s bench` prints and keeps it.

Each figure is wall time in seconds of one command on this host. Machines are shared and
noisy: figures are compared as ratios, with those that were stored last on a host of the
same kind. `--cold` also removes every image and cache first and times the lab from
nothing; `--only lab` leaves out what does not begin with these words; `--keep` stores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab import addons, edition
from lab.errors import LabError
from tools import large_proofs
from tools.large_book import grow

PYTHON = sys.executable
#: Every kept run: date, host and figures; the last one of a host is compared with.
KEPT = Path(__file__).with_name("bench.json")
#: What a build of the editions reads.
READ_BY_BUILD = (
    "conf.py",
    "edition.toml",
    "_static",
    "_templates",
    "examples",
    "extensions",
    "lab/router_lines",
    "latex",
    "proofs",
    "records",
    "source",
)
EDITED = "source/part-1-foundation/02-installation.md"

#: Characters of a failed command's output that are shown.
LAST_WORDS = 3000

#: pytest's exit code when tests failed.
SOME_FAILED = 1

Figure = tuple[str, Callable[[], float]]


def main() -> None:
    """Time everything that is asked for, print a table, and keep it if told to."""
    arguments = _arguments()
    host = host_facts()
    print(", ".join(f"{name} {value}" for name, value in host.items()))
    before = last_kept(host)
    found: dict[str, float] = {}
    for name, measure in figures(cold=arguments.cold):
        if name.startswith(arguments.only):
            found[name] = round(measure(), 1)
            ratio = f"{found[name] / before[name]:8.2f} x" if before.get(name) else ""
            print(f"{name:48}{found[name]:9.1f} s{ratio}", flush=True)
    if before:
        print("(x: this run / the one kept last on such a host)")
    if arguments.keep:
        keep(host, {**before, **found})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cold", action="store_true", help="time the lab from nothing, too")
    parser.add_argument("--only", default="", metavar="WORDS", help="time what begins with these words")
    parser.add_argument("--keep", action="store_true", help=f"store the figures in {KEPT.name}")
    return parser.parse_args()


def host_facts() -> dict[str, str]:
    """Return what decides about speed on this host: processor, cores, memory, Python."""
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": processor[1] if processor else platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "python": platform.python_version(),
    }


def last_kept(host: dict[str, str]) -> dict[str, float]:
    """Return the figures that were kept last on a host like this one; empty without any."""
    runs = [run for run in _kept() if run["host"] == host]
    figures: dict[str, float] = runs[-1]["figures"] if runs else {}
    return figures


def keep(host: dict[str, str], found: dict[str, float]) -> None:
    """Add a run to the kept ones."""
    run = {"date": datetime.now(UTC).date().isoformat(), "host": host, "figures": found}
    KEPT.write_text(json.dumps([*_kept(), run], indent=2) + "\n")


def _kept() -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads(KEPT.read_text()) if KEPT.exists() else []
    return runs


def figures(*, cold: bool) -> Iterator[Figure]:
    """Yield what can be timed, in an order in which each finds what it needs."""
    if cold:
        yield "lab down --images", lambda: lab("down", "--images")
        yield "lab up, from nothing", lambda: lab("up")
    yield "lab up, up already", lambda: lab("up")
    yield "lab down", lambda: lab("down")
    yield "lab up, images there", lambda: lab("up")
    yield "proof, its own overhead", overhead
    yield "proofs, all, with every mutant", lambda: proofs("--all-mutants")
    yield "proofs, all, once more", proofs
    with tempfile.TemporaryDirectory() as folder:
        yield from whole_book(Path(folder))
    for name in addons.names():
        yield f"add-on {name}, image there", lambda name=name: add(name)  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as folder:
        yield from editions(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield from large_book(Path(folder))


def lab(*words: str) -> float:
    """Time one command of the lab."""
    return timed(PYTHON, "-m", "lab", *words)


def add(name: str) -> float:
    """Time the start of an add-on whose images are there; it is removed again.

    What it needs is started first and not timed. An add-on that this host cannot have
    takes no time, and its reason is printed.
    """
    try:
        addons.ensure(name)
        addons.remove(name)
        return lab("add", name)
    except LabError as error:
        print(f"    {error}")
        return 0.0
    finally:
        subprocess.run([PYTHON, "-m", "lab", "remove", name], capture_output=True, check=False)


def overhead() -> float:
    """Time what the harness adds to one proof: namespace, apply, wait, clean up.

    The proof applies a ConfigMap, waits for it and reads it; half the difference between
    three such runs and one, each in a session of its own, leaves out pytest's start.
    """
    one, three = (_small_proofs(number) for number in (1, 3))
    return max(0.0, (three - one) / 2)


def _small_proofs(number: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        chapter = project / "examples/01-bench"
        tests = project / "tests/proofs"
        chapter.mkdir(parents=True)
        tests.mkdir(parents=True)
        (project / "pytest.ini").write_text("[pytest]\n")
        for index in range(number):
            (chapter / f"settings-{index}.yaml").write_text(SETTINGS)
        (tests / "test_bench.py").write_text("".join([HEAD, *map(PROOF.format, range(number))]))
        return timed(PYTHON, "-m", "pytest", "-q", "-k", "not mutant", str(tests), cwd=project)


SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {model: demo}
"""
HEAD = "from proofs.api import Mutant, proves\n"
PROOF = """
@proves(
    "01-bench/settings-{0}.yaml",
    evidence="ran",
    mutants=[Mutant("01-bench/settings-{0}.yaml", "demo", "other", because="another model")],
)
def test_settings_{0}(proof):
    proof.apply("01-bench/settings-{0}.yaml")
    proof.wait("configmap", "settings", lambda found: found["data"] == {{"model": "demo"}})
"""


def proofs(*options: str) -> float:
    """Time all proofs, side by side as in `nox -s examples`."""
    return timed(PYTHON, "-m", "pytest", "-q", "--numprocesses=4", "-m", "proves", *options, "tests/proofs")


def whole_book(copy: Path) -> Iterator[Figure]:
    """Yield the proofs of a generated book of full size: everything, one chapter, one proof."""
    listings, number = large_proofs.grow(edition.PROJECT, copy)
    print(f"generated: {listings} listings, {number} proofs")
    run = (PYTHON, "-m", "pytest", "-q", "--numprocesses=4", "-m", "proves")

    def prove(*words: str) -> float:
        return timed(*run, *words, cwd=copy, accepted=(0, SOME_FAILED))

    yield "whole book, with every mutant", lambda: prove("--all-mutants", "tests/proofs")
    yield "whole book, once more", lambda: prove("tests/proofs")
    yield "whole book, one chapter", lambda: prove("tests/proofs/02-installation")
    yield "whole book, one proof", lambda: timed(*ONE_PROOF, cwd=copy)


def editions(copy: Path) -> Iterator[Figure]:
    """Yield each edition cold and after one edit, built in a copy of the project."""
    copy_project(copy)
    for state in ("cold", "after one edit"):
        if state != "cold":
            edit(copy / EDITED)
        for builder in ("html", "epub", "latex"):
            yield f"edition {builder}, {state}", lambda builder=builder: sphinx(builder, copy)  # type: ignore[misc]
        yield f"edition PDF from LaTeX, {state}", lambda: timed(*LATEXMK, cwd=copy / "build/latex")


def large_book(copy: Path) -> Iterator[Figure]:
    """Yield the HTML of a book of 400 printed pages cold and after one edit, built in a copy."""
    copy_project(copy)
    chapters = grow(copy)
    yield "book of 400 pages, HTML, cold", lambda: sphinx("html", copy)
    edit(chapters[-1])
    yield "book of 400 pages, HTML, after one edit", lambda: sphinx("html", copy)


def copy_project(copy: Path) -> None:
    """Copy what a build of the editions reads."""
    for name in READ_BY_BUILD:
        origin = edition.PROJECT / name
        (shutil.copytree if origin.is_dir() else shutil.copy2)(origin, copy / name)


def edit(chapter: Path) -> None:
    """Add a sentence to a chapter."""
    with chapter.open("a") as file:
        file.write("\nOne more sentence.\n")


ONE_PROOF = (
    PYTHON,
    "-m",
    "pytest",
    "-q",
    "tests/proofs/02-installation",
    "-k",
    "test_the_picker_follows_the_pods_of_the_model",
)
LATEXMK = ("latexmk", "-lualatex", "-interaction=nonstopmode", "-silent", "life-with-llm-d.tex")


def sphinx(builder: str, project: Path) -> float:
    """Time one builder of Sphinx."""
    return timed(
        PYTHON,
        "-m",
        "sphinx",
        "--jobs=auto",
        f"--builder={builder}",
        f"--doctree-dir=build/doctrees-{builder}",
        "--conf-dir=.",
        "source",
        f"build/{builder}",
        cwd=project,
    )


def timed(*command: str, cwd: Path = edition.PROJECT, accepted: tuple[int, ...] = (0,)) -> float:
    """Run a command and return its wall time in seconds; any other exit code ends the benchmark.

    An accepted exit code other than 0 is printed with the command's last line: an hour of
    proofs keeps its figure when one of them fails, and says so.
    """
    began = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(edition.PROJECT)}
    ended = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    if ended.returncode not in accepted:
        sys.exit(f"{ended.stdout[-LAST_WORDS:]}{ended.stderr[-LAST_WORDS:]}\n{shlex.join(command)} failed")
    if ended.returncode:
        print(*[line for line in ended.stdout.splitlines() if line.startswith("FAILED")], sep="\n")
        print(f"    exit code {ended.returncode}: {ended.stdout.splitlines()[-1]}", flush=True)
    return took


if __name__ == "__main__":
    main()
