"""The parameters in what asks for an add-on, such as `fleet:model=chat,replicas=2`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lab.errors import LabError

#: What a value of a parameter is made of: words that mean nothing to a shell or to YAML.
_WORD = r"(?:--)?[\w./](?:[\w./=-]|:(?=[\w./=-]))*"
WORDS = re.compile(rf"(?:{_WORD}(?: {_WORD})*)?", re.ASCII)
#: What a namespace may be called (RFC 1123, a label).
NAMESPACE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
#: A parameter whose default has one of these forms takes no other: what it is -> the form.
FORMS = {
    "a whole number": re.compile(r"[0-9]{1,9}"),
    "a duration such as 400ms": re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+"),
    "an amount such as 1Gi": re.compile(r"[0-9]+(?:[kMG]|[KMG]i)?"),
}


def given_parameters(
    name: str, chosen: str, defaults: Mapping[str, str], choices: Mapping[str, list[str]]
) -> dict[str, str]:
    """Return the parameters in `key=value,key=value`; `choices` has the values of some.

    Raises LabError for a parameter that the add-on does not have, or a value that is not
    one of its choices, not of its default's form, or more than plain words.
    """
    given = {}
    for part in filter(None, chosen.split(",")):
        key, sign, value = part.partition("=")
        if not sign or key not in {*defaults, "namespace"}:
            remedy = f"Write name=value; known are: {', '.join([*defaults, 'namespace'])}."
        else:
            remedy = _wrong(key, value, defaults.get(key, ""), choices.get(key, []))
        if remedy:
            message = f"The add-on {name} takes no {part!r}. {remedy}"
            raise LabError(message)
        given[key] = value
    return given


def _wrong(key: str, value: str, default: str, choices: Sequence[str]) -> str:
    """Return what a parameter takes when it does not take this value; empty when it does."""
    if choices:
        return "" if value in choices else f"{key} is one of: {', '.join(choices)}."
    if key == "namespace" and not NAMESPACE.fullmatch(value):
        return "A namespace has small letters, digits and - inside, 63 at most."
    for what, form in FORMS.items():
        if form.fullmatch(default):
            return "" if form.fullmatch(value) else f"{key} is {what}."
    if not WORDS.fullmatch(value):
        return f"{key} has letters, digits and any of . _ / : = - only; single blanks part several words."
    return ""
