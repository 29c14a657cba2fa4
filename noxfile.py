"""The commands of the project: `nox -s docs` builds the book, `nox -s examples` proves it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"  # a second run installs only what changed
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["tests", "examples"]

BUILD = Path("build")
BOOK = "life-with-llm-d"
#: The small book with every element, on which the look is tested.
SINK = "tests/book/kitchen_sink"
STRICT = (
    "--fail-on-warning",
    "--keep-going",  # name every fault, not only the first
    "--nitpicky",  # a reference to nothing is a warning
)
#: One file of requirements for every Python from 3.11 on, and one for the Python, system
#: and processor of the lab's pods, as lab/python_environment.py has them too.
ANYWHERE = ("--universal", "--python-version=3.11")
ENGINE = ("--python-version=3.13", "--python-platform=x86_64-manylinux_2_40", "--only-binary=:all:")
#: What is installed into images is held to its checksums.
IMAGE = (*ENGINE, "--generate-hashes")
MODEL = (*IMAGE, "--no-deps")
IN_PODS = {
    "vllm": ENGINE,
    "minilm": MODEL,
    "smollm2": MODEL,
    "aiperf": IMAGE,
    "inference-perf": IMAGE,
    "jupyterlab": IMAGE,
    "locust": IMAGE,
    "mlflow": IMAGE,
    "oidc-provider-mock": IMAGE,
}
#: What the editions need from the system: program=Debian package.
TYPESETTING = (
    "lualatex=texlive-luatex",
    "latexmk=latexmk",
    "rsvg-convert=librsvg2-bin",
    "pdftotext=poppler-utils",
    "java=default-jre-headless",
)
#: A package without a program of its own, known by a file that it brings.
TYPESETTING_FILES = ("/usr/share/texlive/texmf-dist/tex/latex/titlesec/titlesec.sty=texlive-latex-extra",)

#: Tests that other sessions run: see the markers in pyproject.toml.
ELSEWHERE = "cluster or addon or editions or browser"
FORMS = [f".github/ISSUE_TEMPLATE/{name}.yml" for name in ("1-book", "2-listing", "3-question")]
#: What `nox -s lint` runs, each piece callable alone; shellcheck gets the scripts themselves, too.
LINT = {
    "format": ("ruff", "format", "--check", "."),
    "ruff": ("ruff", "check", "."),
    "mypy": ("python", "-m", "tools.check_types"),
    "codespell": ("codespell",),
    "prose": ("python", "-m", "tools.prose"),
    "shellcheck": ("shellcheck",),
    "actionlint": ("python", "-m", "tools.workflows"),
    "forms": ("check-jsonschema", "--builtin-schema=vendor.github-issue-forms", *FORMS),
    "citation": ("check-jsonschema", "--builtin-schema=vendor.citation-file-format", "CITATION.cff"),
    "renovate": ("check-jsonschema", "--builtin-schema=vendor.renovate", "renovate.json"),
}

#: Tests of editions, without the plugin of the proofs: once `tests` has made its metadata here,
#: pytest finds it in this folder, whose packages these environments lack.
READ = ("pytest", "-p", "no:proofs", "-m")
#: Only the book keeps its anchors, and page breaks have a book of their own.
NOT_OF_THE_SINK = [f"--ignore=tests/book/editions/test_{name}.py" for name in ("anchors", "page_breaks")]


@nox.session
def docs(session: nox.Session) -> None:
    """Build HTML, PDF and EPUB into build/, and inspect the three."""
    _install(session, "docs")
    session.run("python", "-m", "lab.packages", *TYPESETTING, *TYPESETTING_FILES)
    _editions(session, ".")
    session.run(*READ, "editions", "tests/book", *session.posargs)


@nox.session(default=False)
def kitchen_sink(session: nox.Session) -> None:
    """Build the book of every element into build/kitchen_sink, and inspect its three editions."""
    _install(session, "docs")
    _editions(session, SINK)
    inspect = (*READ, "editions", "tests/book", *NOT_OF_THE_SINK)
    session.run(*inspect, *session.posargs, env={"BOOK": SINK})


@nox.session(default=False)
def browser(session: nox.Session) -> None:
    """Open the book and the kitchen sink in Chromium: accessibility, weight, on paper, offline."""
    _install(session, "browser")
    session.run("python", "-m", "lab.packages", "chromium=chromium")
    visit = (*READ, "browser", "tests/book")
    session.run(*visit, *session.posargs)
    session.run(*visit, "-k", "test_visits", *session.posargs, env={"BOOK": SINK})


@nox.session
def examples(session: nox.Session) -> None:
    """Bring the lab up and prove every listing on it, or on a cluster of yours: --context <name>."""
    _install_plugin(session)
    yours = any(word.split("=")[0] == "--context" for word in session.posargs)
    chosen = any(word.startswith("tests/") for word in session.posargs)
    if os.environ.get("CI"):  # elsewhere, proofs that take pictures are skipped without it
        session.run("python", "-m", "lab.packages", "chromium=chromium")
    if not yours:
        session.run("python", "-m", "lab", "up")
    if not chosen and not yours:
        # One after the other: they stop and break parts of the lab. None may be selected (5).
        session.run("pytest", "-m", "live", *session.posargs, success_codes=[0, 5])
    # More processes than cores: proofs mostly wait. Those without a cluster run in `tests`, too.
    which = (
        []
        if chosen or yours
        else ["-m", "cluster and not live" if os.environ.get("CI") else "proves or cluster and not live"]
    )
    session.run("pytest", "--numprocesses=4", *which, *session.posargs)


@nox.session(default=False)
def addons(session: nox.Session) -> None:
    """Start the lab's add-ons and prove that they work: all, or nox -s addons -- -k "keda or redis"."""
    _install_plugin(session)
    session.run("python", "-m", "lab", "up")
    session.run("pytest", "-m", "addon", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test that needs neither a cluster nor the built editions."""
    _install_plugin(session)
    session.run("pytest", "-m", f"not ({ELSEWHERE})", *session.posargs)


@nox.session(default=False)
def new(session: nox.Session) -> None:
    """Begin a listing and its proof: nox -s new -- <chapter>/<file>."""
    _install(session, "tests")
    session.run("python", "-m", "tools.new_listing", *session.posargs)


@nox.session(default=False)
def lab(session: nox.Session) -> None:
    """Run a command of the lab: nox -s lab -- up | status | down | images | doctor."""
    _install(session, "lab")
    session.run("python", "-m", "lab", *session.posargs)


@nox.session(default=False)
def lint(session: nox.Session) -> None:
    """Check style, types, spelling and the forge's files: all, or nox -s lint -- ruff mypy."""
    _install(session, "tests")
    for piece in session.posargs or LINT:
        if piece not in LINT:
            session.error(f"lint has no piece {piece!r}; choose from {', '.join(LINT)}")
        session.run(*LINT[piece], *(_scripts(session) if piece == "shellcheck" else ()))


@nox.session(default=False)
def linkcheck(session: nox.Session) -> None:
    """Follow every link of the book; needs the network."""
    _install(session, "docs")
    _sphinx(session, "linkcheck")


@nox.session(default=False)
def preview(session: nox.Session) -> None:
    """Serve the book on this machine; the browser shows every change (another book: -- <folder>)."""
    _install(session, "docs")
    book = session.posargs[0] if session.posargs else "."
    build = BUILD / "preview" / Path(book).name
    watched = [f"--watch={book}/{name}" for name in ("examples", "records")]
    places = ("--conf-dir=.", f"--doctree-dir={build}/doctrees", f"{book}/source", f"{build}/html")
    session.run("sphinx-autobuild", "--jobs=auto", "--watch=_static", *watched, *places)


@nox.session(default=False)
def diagrams(session: nox.Session) -> None:
    """Draw the diagrams whose source has changed (all: -- --all); needs npm and Chromium."""
    _install(session, "docs")
    session.run("python", "-m", "lab.packages", "chromium=chromium", "npm=npm")
    session.run("python", "-m", "tools.draw", *session.posargs, session.create_tmp(), ".", SINK)


@nox.session(default=False)
def plots(session: nox.Session) -> None:
    """Draw the plots whose program, data or style has changed (all: -- --all)."""
    _install(session, "tests")
    session.run("python", "-m", "tools.draw_plots", *session.posargs, ".", SINK)


@nox.session(default=False)
def reference(session: nox.Session) -> None:
    """Ask the programs again what the reference appendices say (compare only: -- --check)."""
    _install(session, "tests")
    session.run("python", "-m", "tools.reference", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Time the lab, the proofs and the editions, and print the figures."""
    _install(session, "tests")
    session.run("python", "-m", "tools.bench", *session.posargs)


@nox.session(default=False)
def release(session: nox.Session) -> None:
    """Build what a tag publishes into build/release: nox -s release -- v1.0 (a rehearsal without the tag)."""
    _install(session, "docs")
    session.run("python", "-m", "tools.release", "--check", *session.posargs)
    session.run("python", "-m", "lab.packages", *TYPESETTING, *TYPESETTING_FILES)
    _editions(session, ".")
    session.run("python", "-m", "tests.book.editions.anchors")
    session.run("pytest", "-m", "editions", "tests/book")
    session.run("python", "-m", "tools.state", "--write")
    session.run("python", "-m", "tools.release", *session.posargs)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Fix the versions of requirements/*.txt anew from the groups of pyproject.toml."""
    session.install("uv")
    for name in ("lab", "tests", "docs", "browser", *IN_PODS):
        session.run(
            "uv",
            "pip",
            "compile",
            f"--group={name}",
            *IN_PODS.get(name, ANYWHERE),
            "--no-header",
            "--no-annotate",
            "--no-emit-index-url",
            "--quiet",
            *session.posargs,
            f"--output-file=requirements/{name}.txt",
        )


def _install(session: nox.Session, name: str) -> None:
    if sys.version_info < (3, 11):
        session.error("Python 3.11 or newer is needed; run nox with one (python3.11 -m nox).")
    session.install("-r", f"requirements/{name}.txt")


def _install_plugin(session: nox.Session) -> None:
    """Install the packages of the tests, and the project for its pytest plugin."""
    _install(session, "tests")
    if not list(Path(session.virtualenv.location).glob("lib/*/site-packages/life_with_llm_d-*.dist-info")):
        session.install("--no-deps", "--editable", ".")


def _scripts(session: nox.Session) -> list[str]:
    """Return the shell scripts of the repository, known by their first lines."""
    found = session.run("git", "grep", "-nE", "^#!.*[/ ](ba)?sh$", external=True, silent=True)
    return [line.split(":")[0] for line in str(found).splitlines() if ":1:" in line]


def _editions(session: nox.Session, book: str) -> None:
    """Build the three editions of a book into build/ or build/<its name>."""
    build = BUILD / Path(book).name
    _sphinx(session, "html", book, build)
    _sphinx(session, "latex", book, build)
    _typeset(session, build)
    shutil.rmtree(build / "epub", ignore_errors=True)  # a second build into it is not valid
    _sphinx(session, "epub", book, build)
    for edition in (build / "pdf" / f"{BOOK}.pdf", build / "epub" / f"{BOOK}.epub"):
        shutil.copy2(edition, build / "html")  # pages link to them


def _sphinx(session: nox.Session, builder: str, book: str = ".", build: Path = BUILD) -> None:
    doctrees = build / f"doctrees-{builder}"  # outside the output: EPUB packs all it finds
    places = ("--conf-dir=.", f"--doctree-dir={doctrees}", f"{book}/source", f"{build}/{builder}")
    try:
        session.run("sphinx-build", *STRICT, "--jobs=auto", f"--builder={builder}", *places)
    except CommandFailed:
        # Else the next build would not read the faulty page again, and pass.
        shutil.rmtree(doctrees, ignore_errors=True)
        raise


def _typeset(session: nox.Session, build: Path) -> None:
    """Make the PDF from the LaTeX; latexmk runs LuaLaTeX as often as needed."""
    options = ("-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "-silent")
    try:
        with session.chdir(build / "latex"):
            session.run("latexmk", "-lualatex", *options, f"{BOOK}.tex", external=True)
    except (CommandFailed, KeyboardInterrupt):
        # Else the next run would read the cut file, and stop.
        (build / "latex" / f"{BOOK}.aux").unlink(missing_ok=True)
        raise
    (build / "pdf").mkdir(exist_ok=True)
    shutil.copy2(build / "latex" / f"{BOOK}.pdf", build / "pdf" / f"{BOOK}.pdf")
