"""What the fate of a proof depends on, as a key: a hash that changes when that does.

It covers the test's function with the functions and constants of the project's tests that
it uses (as syntax, so that comments do not count), the listings that its workspace opened,
the files of the add-ons that it needs, and the pins of what it runs on. The lab's and the
harness's own code do not count.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from lab import addons, edition
from proofs.claims import CLUSTER_FREE, Claim, Mutant
from proofs.records import digest

#: Pins on which every proof with a cluster depends.
OF_EVERY_CLUSTER = ("kubernetes", "router", "simulator", "envoy", "inference-extension")


def proof_key(root: Path, test: str, claim: Claim, opened: Iterable[str]) -> str:
    """Return the key of a proof: a test's id, its claim, and the listings that it opened."""
    file, function = test.split("::")
    listings = sorted({*opened, *claim.listings})
    pins = () if claim.evidence in CLUSTER_FREE else OF_EVERY_CLUSTER
    names = sorted({*pins, *claim.uses})
    return _hash(
        code_of(root, root / file, function),
        *(f"{name} {_digest(root / 'examples' / name)}" for name in listings),
        *(_addon(need) for need in sorted(claim.needs)),
        *(f"{name} {edition.versions()[name]}" for name in names),
        claim.evidence,
        claim.router,
    )


def kill_key(proof: str, mutant: Mutant, environment: Mapping[str, str]) -> str:
    """Return the key of a mutant's kill: a proof's key, the change, and where the proof ran."""
    return _hash(proof, mutant.listing, mutant.old, mutant.new, *map(str, sorted(environment.items())))


def _digest(file: Path) -> str:
    return digest(file) if file.is_file() else "gone"


@cache
def _addon(need: str) -> str:
    """Return a hash of an add-on's parameters, files and images, and of what it needs."""
    addon = addons.find(need)
    return _hash(
        need,
        *(f"{place} {digest(source)}" for place, source in sorted(addon.files.items())),
        *(edition.images()[key].name for key in addon.images),
        *map(_addon, addon.needs),
    )


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:16]


# Code


@dataclass(frozen=True)
class _Module:
    """A test module's definitions, and the names that it imports from other test modules."""

    defined: Mapping[str, tuple[ast.stmt, ...]]
    imported: Mapping[str, tuple[Path, str]]


def code_of(root: Path, file: Path, function: str) -> str:
    """Return the syntax of a function and of all that it uses in the project's tests."""
    found: dict[tuple[Path, str], str] = {}
    waiting = [(file, function)]
    while waiting:
        place = waiting.pop()
        if place in found:
            continue
        module = _read(root, place[0])
        if place[1] in module.imported:
            waiting.append(module.imported[place[1]])
            continue
        statements = [_essence(one) for one in module.defined.get(place[1], ())]
        found[place] = "\n".join(map(ast.dump, statements))
        beside = place[0].with_name("conftest.py")
        for name in _names(statements):
            waiting.append((place[0], name))
            if beside.is_file() and place == (file, function):  # a fixture
                waiting.append((beside, name))
    return "\n".join(text for _, text in sorted(found.items()) if text)


def _essence(statement: ast.stmt) -> ast.stmt:
    """Return a definition without its docstring and its claim, whose parts count for themselves."""
    if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return statement
    body = statement.body[1:] if ast.get_docstring(statement) is not None else statement.body
    kept = [one for one in statement.decorator_list if not _is_claim(one)]
    return type(statement)(**{**dict(ast.iter_fields(statement)), "body": body, "decorator_list": kept})


def _is_claim(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Name) and called.id == "proves"


def _names(statements: Iterable[ast.stmt]) -> Iterator[str]:
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                yield node.id
            elif isinstance(node, ast.arg):
                yield node.arg


@cache
def _parsed(file: Path, state: int) -> tuple[ast.stmt, ...]:  # noqa: ARG001 - a key
    return tuple(ast.parse(file.read_text(encoding="utf-8")).body)


def _read(root: Path, file: Path) -> _Module:
    defined: dict[str, tuple[ast.stmt, ...]] = {}
    imported: dict[str, tuple[Path, str]] = {}
    for statement in _parsed(file, file.stat().st_mtime_ns) if file.is_file() else ():
        if isinstance(statement, ast.ImportFrom) and (source := _imported_file(root, file, statement)):
            imported |= {one.asname or one.name: (source, one.name) for one in statement.names}
        for name in _defined_by(statement):
            defined[name] = (*defined.get(name, ()), statement)
    return _Module(defined, imported)


def _imported_file(root: Path, file: Path, statement: ast.ImportFrom) -> Path | None:
    """Return the test module that a statement imports from; None for what is no test module."""
    inside = (statement.module or "").split(".")
    if statement.level:
        return file.parents[statement.level - 1].joinpath(*inside).with_suffix(".py")
    return root.joinpath(*inside).with_suffix(".py") if inside[0] == "tests" else None


def _defined_by(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))
