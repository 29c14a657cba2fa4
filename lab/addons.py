"""What the lab can hold beyond its base: add-ons, each a folder of lab/addons.

An add-on is a kustomization of the project's own files and of upstream's, which are
read from its pinned Go module. It may take listings of the book unchanged, and
include other add-ons, each in a folder of its name. It is started once, in its own
namespace, waited for, and used by all that ask for it. lab/README.md tells how to
write one.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import json
import re
import shlex
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lab import cluster, edition, home, images, keys, programs, registry, rollout, upstream
from lab.engine import Engine, find_engine
from lab.errors import LabError
from lab.lock import alone
from lab.parameters import given_parameters
from lab.process import run
from lab.progress import step
from lab.router_lines import here

FOLDERS = Path(__file__).resolve().parent / "addons"
#: Annotation on an add-on's namespace: what was applied to it, once that was ready.
#: Annotations on an add-on's namespace: a hash of what was applied, and the text by which it was asked for.
APPLIED = "life-with-llm-d/applied"
ASKED_FOR = "life-with-llm-d/asked-for"
#: Seconds that a rendering may take: a few for megabytes of definitions, more on a busy host.
RENDER_LIMIT = 300
#: Label on an add-on's namespace: the add-on's name.
LABEL = "life-with-llm-d/addon"
#: What add-ons are for, in the order in which they are listed.
PURPOSES = (
    "model servers",
    "llm-d",
    "workloads",
    "scaling",
    "traffic",
    "rules",
    "identity",
    "observing",
    "data",
    "delivery",
    "workbenches",
    "load",
    "pretended hardware",
)
#: `${name}`, `${registry}`, `${versions.name}`, `${images.name}`, `${keys.name}`; a bare
#: $name is left to shells.
PLACE = re.compile(r"\$\{([a-z][-a-zA-Z0-9_.]*)\}")


@dataclass(frozen=True)
class Addon:
    """An add-on with its parameters: what addon.toml says, and what was asked for.

    memory, pods, each  MiB and pods that it takes in steady state, and in addition for every
                        one that a parameter counts
    needs, includes     other add-ons: started before it, or rendered as parts of it
    examples, images    listings, and keys of edition.toml
    upstream            what is read from Go modules, a chart included
    ready               what must hold beyond running workloads
    prepare, undo       functions (`module:name`) that take parameters and namespace: the first
                        return further values, the others take back what those or its pods did
    keys                random keys that the lab makes
    clients             programs for its users (group of builds.toml -> names), put beside kubectl
    watches             labels of the namespaces of proofs that it looks into; empty: into all
    web                 service, port and path of its web interface
    router              its objects are translated for the router line that the lab has
    newer_router        no other line than the edition's will do
    """

    name: str
    about: str
    purpose: str
    namespace: str
    memory: int
    pods: int
    each: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    upstream: Mapping[str, Any] = field(default_factory=dict)
    ready: Mapping[str, str] = field(default_factory=dict)
    web: Mapping[str, Any] = field(default_factory=dict)
    prepare: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    clients: Mapping[str, Sequence[str]] = field(default_factory=dict)
    watches: Mapping[str, str] = field(default_factory=dict)
    router: bool = False
    newer_router: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    #: The text by which it was asked for.
    spec: str = field(default="", compare=False)

    @property
    def files(self) -> dict[Path, Path]:
        """Place -> source of what it includes, of its listings, and of its own files, which win."""
        found: dict[Path, Path] = {}
        for part in self.includes:
            found |= {Path(part, place): source for place, source in find(part).files.items()}
        found |= {Path("examples", name): edition.PROJECT / "examples" / name for name in self.examples}
        own = FOLDERS / self.name
        return found | {file.relative_to(own): file for file in sorted(own.rglob("*")) if file.is_file()}

    @property
    def upstream_folders(self) -> list[tuple[str, str, str]]:
        """What is read from Go modules, as arguments of `upstream.folder`."""
        inside = [*self.upstream.get("folders", []), *filter(None, [self.upstream.get("chart")])]
        path = self.upstream.get("path", [])
        paths = [path] if isinstance(path, str) else path
        return [(self.upstream["module"], one, folder) for one in paths for folder in inside]


def names() -> list[str]:
    """Return the names of all add-ons."""
    return sorted(file.parent.name for file in FOLDERS.glob("*/addon.toml"))


@cache
def find(spec: str) -> Addon:
    """Return the add-on that a text such as `fleet:model=chat,replicas=2` asks for.

    Raises LabError, listing what is known, for an unknown add-on or parameter.
    """
    name, _, chosen = spec.partition(":")
    if name not in names():
        message = f"There is no add-on named {name!r}. Known are: {', '.join(names())}."
        raise LabError(message)
    row = _row(name)
    defaults = {key: str(value) for key, value in row.pop("parameters", {}).items()}
    given = given_parameters(name, chosen, defaults, row.pop("choices", {}))
    given_namespace = given.pop("namespace", "")
    by_choice = row.pop("defaults", {})
    parameters = {**_defaults(defaults, by_choice, given), **given}
    namespace = given_namespace or row.pop("namespace", name)
    if parameters != _defaults(defaults, by_choice, {}) and not given_namespace:
        namespace = f"{namespace}-{_hash(json.dumps(parameters, sort_keys=True))[:6]}"
    row |= {key: tuple(row[key]) for key in row if isinstance(row[key], list)}
    try:
        return Addon(**{**row, "name": name, "namespace": namespace, "parameters": parameters, "spec": spec})
    except TypeError as error:
        message = (
            f"lab/addons/{name}/addon.toml: {str(error).partition('() ')[2]}. lab/README.md lists the keys."
        )
        raise LabError(message) from error


def with_needs(specs: Iterable[str]) -> list[Addon]:
    """Return add-ons and all that they need, each once, after what it needs itself."""
    found: dict[str, Addon] = {}
    for spec in specs:
        addon = find(spec)
        found |= {one.namespace: one for one in [*with_needs(addon.needs), addon]}
    return list(found.values())


def ensure(spec: str) -> Addon:
    """Start an add-on and what it needs, unless they run; return it when it is ready.

    Raises NotAvailable when one of its images has no source on this host, or the lab's
    router is too old for it; LabError when it does not become ready.
    """
    addon = find(spec)
    if addon.newer_router:
        here.require_newer(addon.name)
    if not _runs(addon):
        engine = find_engine()
        cluster.connect()
        build_shared([spec])
        _start(engine, addon)
    return addon


def build_shared(specs: Iterable[str]) -> None:
    """Build the programs that add-ons need beside their images, before the first of them starts."""
    for group in shared_programs(with_needs(specs)):
        programs.build(group)


def shared_programs(chosen: Collection[Addon]) -> list[str]:
    """Return the groups of builds.toml that add-ons need: helm, where one has a chart, and clients."""
    charts = ["helm" for addon in chosen if "chart" in addon.upstream]
    return list(dict.fromkeys([*charts, *(group for addon in chosen for group in addon.clients)]))


def remove(spec: str) -> None:
    """Remove an add-on's objects and its namespace; raises LabError when it is not there."""
    addon = find(spec)
    with alone(addon.namespace):
        if _applied(addon) is None:
            raise LabError(_not_there(addon))
        with step(f"Removing {addon.name}"):
            for function in addon.undo:
                _function(function)(_arguments(addon))
            _unlink_clients(addon)
            rollout.remove(_objects_file(addon), addon.namespace)


def _not_there(addon: Addon) -> str:
    """Return a sentence about an add-on that is not there, and what is there by its name."""
    others = [namespace for namespace, name in installed().items() if name == addon.name]
    there = [rollout.annotation(namespace, ASKED_FOR) or f"one in {namespace}" for namespace in others]
    hint = f" There is {' and '.join(there)}: give `remove` all that `add` got." if there else ""
    return f"The add-on {addon.name} is not there (namespace {addon.namespace}).{hint}"


def require_running(spec: str) -> Addon:
    """Return an add-on that runs; raises LabError, with the command that starts it, when it does not."""
    addon = find(spec)
    if not _runs(addon):
        message = (
            f"The add-on {addon.name} does not run. Start it with: python -m lab add {shlex.quote(spec)}"
        )
        raise LabError(message)
    return addon


def installed() -> dict[str, str]:
    """Return namespace -> name of every add-on that is in the cluster."""
    found = [one["metadata"] for one in cluster.listed("namespaces", f"--selector={LABEL}")]
    return {one["name"]: one["labels"][LABEL] for one in found}


def _defaults(
    defaults: Mapping[str, str], by_choice: Mapping[str, Mapping[str, Any]], given: Mapping[str, str]
) -> dict[str, str]:
    """Return the defaults of parameters; those of `by_choice` hold where another one has a certain value."""
    found = dict(defaults)
    for parameter, rows in by_choice.items():
        row = rows.get(given.get(parameter, defaults[parameter]), {})
        found |= {key: str(value) for key, value in row.items()}
    return found


def copy_upstream(addon: Addon, work: Path) -> None:
    """Put upstream's folders where own files may add to them, or replace what they lack.

    Of several modules, each has a folder of its name.
    """
    for module, path, inside in addon.upstream_folders:
        of_one = isinstance(addon.upstream["path"], str)
        place = work / "upstream" / ("" if of_one else path.rpartition("/")[2]) / inside
        shutil.copytree(upstream.folder(module, path, inside), place, dirs_exist_ok=True)


@cache
def own_row(name: str) -> dict[str, Any]:
    """Return what addon.toml says; raises LabError, naming the key, where it says too little."""
    row = edition.read_toml(FOLDERS / name / "addon.toml")
    if missing := [key for key in ("about", "purpose", "memory", "pods") if key not in row]:
        message = f"lab/addons/{name}/addon.toml does not say {', '.join(missing)}. lab/README.md tells how."
        raise LabError(message)
    if row["purpose"] not in PURPOSES:
        message = f"lab/addons/{name}/addon.toml: purpose is one of: {', '.join(PURPOSES)}."
        raise LabError(message)
    return row


def _row(name: str) -> dict[str, Any]:
    """Return what addon.toml says, joined with what the add-ons that it includes say."""
    row = dict(own_row(name))
    for part in map(_row, row.get("includes", [])):
        for key in ("needs", "images", "prepare", "undo", "keys"):
            row[key] = list(dict.fromkeys([*part.get(key, []), *row.get(key, [])]))
        for key in ("router", "newer_router"):
            row[key] = row.get(key, False) or part.get(key, False)
        for key in ("parameters", "choices", "defaults", "each", "ready"):
            row[key] = {**part.get(key, {}), **row.get(key, {})}
        for key in ("memory", "pods"):
            row[key] += part[key]
    return row


def _start(engine: Engine, addon: Addon) -> None:
    for need in map(find, addon.needs):
        if not _runs(need):
            _start(engine, need)
    with alone(addon.namespace):
        if _runs(addon):  # meanwhile, by another command
            return
        if not _has_images(engine, addon):
            with alone():
                _provide_images(engine, addon)
        with step(f"Starting {addon.name} in the namespace {addon.namespace}"):
            _bring_up(addon)


def _has_images(engine: Engine, addon: Addon) -> bool:
    """Tell whether nothing needs to be provided: a look that needs no lock."""
    if not registry.answers(engine):
        return False
    server = registry.address(engine)
    known = [images.current(engine, edition.images()[key]) for key in addon.images]
    return all(one and registry.holds(server, one) for one in known)


def _provide_images(engine: Engine, addon: Addon) -> None:
    provided = images.provide(engine, addon.images)
    server = registry.start(engine, images.provide(engine, ["registry"])["registry"])
    for image in provided.values():
        registry.push(engine, server, image)


def _bring_up(addon: Addon) -> None:
    before = rollout.read(_objects_file(addon)) if _applied(addon) and _objects_file(addon).exists() else []
    objects = _render(addon)
    rollout.make_namespace(addon.namespace, {LABEL: addon.name})
    rollout.apply(objects, addon.namespace)
    if "accepts" in addon.ready:
        rollout.wait_until_accepted(objects.parent / addon.ready["accepts"], addon.namespace)
    if "refuses" in addon.ready:
        rollout.wait_until_refused(objects.parent / addon.ready["refuses"], addon.namespace)
    if "answers" in addon.ready:
        rollout.wait_until_answered(addon.ready["answers"], addon.namespace)
    rollout.remove_superseded(before, objects, addon.namespace)
    _link_clients(addon)
    rollout.annotate_namespace(addon.namespace, {ASKED_FOR: addon.spec, APPLIED: _key(addon)})


def _link_clients(addon: Addon) -> None:
    """Put an add-on's programs for users beside the lab's kubectl, where `lab env` points."""
    _unlink_clients(addon)
    for group, names in addon.clients.items():
        for name in names:
            (_clients_folder() / name).symlink_to(programs.program(group, name))


def _unlink_clients(addon: Addon) -> None:
    for name in itertools.chain(*addon.clients.values()):
        (_clients_folder() / name).unlink(missing_ok=True)


def _clients_folder() -> Path:
    return cluster.find().kubectl.parent


def _runs(addon: Addon) -> bool:
    """Tell whether exactly this add-on was applied, and all its pods are ready."""
    applied = _applied(addon)
    return bool(applied) and applied == _key(addon) and rollout.all_ready(addon.namespace)


def _applied(addon: Addon) -> str | None:
    """Return the key of what was applied: None without namespace, empty if it was not finished."""
    return rollout.annotation(addon.namespace, APPLIED)


def _key(addon: Addon) -> str:
    """Return a hash of all that decides what is applied."""
    provided = images.recorded()
    values = {**_values(addon), **_prepared(addon)}
    parts = [
        *(_fill(source, values) for source in addon.files.values()),
        json.dumps(addon.parameters, sort_keys=True),
        *(provided[key].identity if key in provided else "" for key in addon.images),
        here.line(),
        upstream.key(addon.upstream["module"]) if addon.upstream else "",
        *(programs.key(group) for group in addon.clients),
    ]
    return _hash("\0".join(parts))


def _values(addon: Addon) -> dict[str, str]:
    """Return what fills the `${...}` in an add-on's files."""
    return {
        **{f"versions.{name}": version for name, version in edition.versions().items()},
        **{f"images.{key}": image.name for key, image in edition.images().items()},
        **{f"keys.{name}": keys.key(name) for name in addon.keys},
        "registry": registry.NAME,
        **_arguments(addon),
    }


def _objects_file(addon: Addon) -> Path:
    return home.folder("addons") / addon.namespace / "objects.json"


def _render(addon: Addon) -> Path:
    """Write an add-on's objects to a file, beside its filled files, and return it."""
    target = _objects_file(addon)
    values = {**_values(addon), **_prepared(addon)}
    with home.workplace(home.folder("addons")) as unfinished:
        work = unfinished / "work"
        copy_upstream(addon, work)
        for place, source in addon.files.items():
            (work / place).parent.mkdir(parents=True, exist_ok=True)
            (work / place).write_text(_fill(source, values))
        if "chart" in addon.upstream:
            _render_chart(addon, work)
        text = cluster.kubectl("kustomize", str(work), doing=f"Rendering {addon.name}", timeout=RENDER_LIMIT)
        if addon.router:
            text = here.adapted(text, addon.name)
        rollout.write(work / target.name, rollout.parse(text))
        shutil.rmtree(target.parent, ignore_errors=True)
        work.rename(target.parent)
    return target


def _prepared(addon: Addon) -> dict[str, str]:
    values: dict[str, str] = {}
    for function in addon.prepare:
        values |= _function(function)(_arguments(addon))
    return values


def _arguments(addon: Addon) -> dict[str, str]:
    """Return what the functions of `prepare` and `undo` are given."""
    return {**addon.parameters, "namespace": addon.namespace}


def _function(name: str) -> Callable[[Mapping[str, str]], Any]:
    """Return the function that `module:name` names."""
    module, _, inside = name.partition(":")
    found: Callable[[Mapping[str, str]], Any] = getattr(importlib.import_module(module), inside)
    return found


def _fill(source: Path, values: Mapping[str, str]) -> str:
    """Return a file's text with its `${...}` filled; a listing's text unchanged."""
    if not source.is_relative_to(FOLDERS):
        return source.read_text()
    try:
        return PLACE.sub(lambda place: values[place[1]], source.read_text())
    except KeyError as error:
        where = source.relative_to(edition.PROJECT)
        message = f"{where} asks for {error}, which nothing gives. Correct it."
        raise LabError(message) from error


def _render_chart(addon: Addon, work: Path) -> None:
    """Write the objects of an add-on's chart to chart.yaml."""
    chart = addon.upstream["chart"]
    values = [work / "upstream" / chart / file for file in addon.upstream.get("values", [])]
    values += [file for file in [work / "values.yaml"] if file.exists()]
    rendered = run(
        [
            programs.program("helm", "helm"),
            "template",
            addon.name,
            work / "upstream" / chart,
            f"--namespace={addon.namespace}",
            f"--kube-version={edition.versions()['kubernetes']}",
            *[f"--api-versions={version}" for version in addon.upstream.get("api-versions", [])],
            "--include-crds",
            *[f"--values={file}" for file in values],
        ],
        doing=f"Rendering the chart of {addon.name}",
    )
    (work / "chart.yaml").write_text(rendered)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
