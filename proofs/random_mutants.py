"""Changes of listings that no proof declared: `--random-mutants N --seed S`.

Each YAML listing is changed N times, by one deletion, one other value or one swap, and
run through its proofs. What survives is reported and fails nothing, unless the run has a
`--required-share`. No change is drawn that means nothing (proofs/sameness.py), and one that
the API server's defaults undo counts as equal. The same seed makes the same changes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, MutableMapping, MutableSequence
from dataclasses import KW_ONLY, dataclass
from io import StringIO
from random import Random
from typing import Any

from ruamel.yaml import YAML

from proofs.claims import Mutant
from proofs.sameness import Selected, essence

#: A change tried so often without finding a new one ends the search.
TRIES = 20
#: Fields without which a document is no object: to change them shows nothing.
IDENTITY = {"apiVersion", "kind"}


@dataclass(frozen=True)
class Place:
    """A value in a document: what holds it, under which key, and the path to it."""

    holder: Any
    key: Any
    path: str

    @property
    def value(self) -> Any:  # noqa: ANN401 - YAML holds anything
        """Return the value that is there."""
        return self.holder[self.key]


@dataclass(frozen=True)
class RandomMutant(Mutant):
    """A change drawn at random; `text` is the whole listing with it."""

    _: KW_ONLY
    text: str

    def mutate(self, text: str) -> str:  # noqa: ARG002 - drawn from the same text
        """Return the changed listing."""
        return self.text


def random_mutants(listing: str, text: str, count: int, seed: int, selected: Selected) -> list[RandomMutant]:
    """Return `count` different changes of a YAML listing, fewer where it has no more.

    Labels count where the listing's chapter has `selected` them.
    """
    random = Random(f"{seed} {listing}")  # noqa: S311 - nothing secret
    documents = list(_yaml().load_all(text)) if count else []
    meaning = [essence(document, selected) for document in documents]
    found: dict[str, RandomMutant] = {}
    for _ in range(count * TRIES):
        if len(found) == count:
            break
        changed = copy.deepcopy(documents)
        starts = [_start(document) if len(changed) > 1 else "" for document in changed]
        places = [place for at in zip(changed, starts, strict=True) for place in _places(*at, top=True)]
        if not places:
            break
        place = random.choice(places)
        old = _short(place.value)
        new = random.choice(CHANGES)(place, random)
        if new is not None and [essence(document, selected) for document in changed] != meaning:
            because = f"{listing}: {place.path}: {old} -> {new}"
            found[because] = RandomMutant(
                listing, f"{place.path}: {old}", new, because=because, text=_text(changed)
            )
    return list(found.values())


def _start(document: Any) -> str:  # noqa: ANN401 - YAML holds anything
    """Return what tells a document from the others of its listing."""
    content = document if isinstance(document, MutableMapping) else {}
    return f"{content.get('kind', '')}/{(content.get('metadata') or {}).get('name', '')}"


def _places(holder: Any, path: str = "", *, top: bool = False) -> Iterator[Place]:  # noqa: ANN401
    if isinstance(holder, MutableMapping):
        keys = [key for key in holder if not top or key not in IDENTITY]
    elif isinstance(holder, MutableSequence):
        keys = list(range(len(holder)))
    else:
        return
    for key in keys:
        here = f"{path}.{key}" if path else str(key)
        yield Place(holder, key, here)
        yield from _places(holder[key], here)


def _delete(place: Place, random: Random) -> str | None:  # noqa: ARG001
    del place.holder[place.key]
    return "deleted"


def _swap(place: Place, random: Random) -> str | None:
    """Exchange a value with another of the same kind beside it."""
    keys = list(place.holder) if isinstance(place.holder, MutableMapping) else range(len(place.holder))
    others = [
        key
        for key in keys
        if key != place.key
        and type(place.holder[key]) is type(place.value)
        and place.holder[key] != place.value
    ]
    if not others:
        return None
    other = random.choice(others)
    place.holder[place.key], place.holder[other] = place.holder[other], place.value
    return f"swapped with {other}"


def _change(place: Place, random: Random) -> str | None:
    """Put another value in the place of a scalar; of many lines, change one."""
    value = place.value
    if isinstance(value, bool):
        place.holder[place.key] = not value
    elif isinstance(value, int | float):
        place.holder[place.key] = random.choice([value + 1, value * 10 + 7, 0 if value else 3])
    elif isinstance(value, str) and "\n" in value:
        return _change_line(place, random)
    elif isinstance(value, str):
        place.holder[place.key] = _other_word(value, random)
    else:
        return None
    return _short(place.value)


def _change_line(place: Place, random: Random) -> str:
    lines = place.value.splitlines(keepends=True)
    number = random.randrange(len(lines))
    line = lines[number]
    changed = random.choice(["", _other_word(line.rstrip(), random) + "\n"])
    lines[number] = changed
    place.holder[place.key] = type(place.value)("".join(lines))
    return f"{_short(line)} -> {_short(changed) if changed else 'deleted'}"


def _other_word(word: str, random: Random) -> str:
    """Return a text with one digit counted on, or one letter more."""
    digits = [number for number, letter in enumerate(word) if letter.isdigit()]
    if not digits:
        return f"{word}x"
    chosen = random.choice(digits)
    return f"{word[:chosen]}{(int(word[chosen]) + 1) % 10}{word[chosen + 1 :]}"


CHANGES: tuple[Callable[[Place, Random], str | None], ...] = (_delete, _change, _change, _swap)


def _short(value: Any, limit: int = 40) -> str:  # noqa: ANN401
    text = " ".join(str(value).split())
    return text if len(text) <= limit else f"{text[:limit]}…"


def _text(documents: list[Any]) -> str:
    printed = StringIO()
    _yaml().dump_all(documents, printed)
    return printed.getvalue()


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml
