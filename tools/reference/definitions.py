"""What a custom resource definition says about its fields: types, defaults, rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML

#: Two rules of a schema that limit the same thing -> what they count.
LIMITS = {
    ("minimum", "maximum"): "",
    ("minLength", "maxLength"): " characters",
    ("minItems", "maxItems"): " items",
    ("minProperties", "maxProperties"): " entries",
}
ONE = {"": "", " characters": " character", " items": " item", " entries": " entry"}
#: The fields of a condition, which every status of Kubernetes has.
CONDITION = {"lastTransitionTime", "message", "observedGeneration", "reason", "status", "type"}
#: Every object of Kubernetes has these.
OF_EVERY_OBJECT = {"apiVersion", "kind", "metadata"}


def describe(text: str) -> dict[str, Any]:
    """Return kind, group, version, names and fields of a definition's stored version."""
    definition = YAML(typ="safe").load(text)
    spec = definition["spec"]
    version = next(one for one in spec["versions"] if one["storage"])
    schema = version["schema"]["openAPIV3Schema"]
    return {
        "kind": spec["names"]["kind"],
        "group": spec["group"],
        "version": version["name"],
        "plural": spec["names"]["plural"],
        "short": spec["names"].get("shortNames", []),
        "scope": spec["scope"],
        "status": "status" in version.get("subresources", {}),
        "columns": [column["name"] for column in version.get("additionalPrinterColumns", [])],
        "fields": [field for field in fields(schema) if field["path"] not in OF_EVERY_OBJECT],
    }


def fields(schema: Mapping[str, Any], path: str = "") -> Iterator[dict[str, Any]]:
    """Yield every field under a schema, with [] after the name of a list."""
    required = set(schema.get("required", []))
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield {
            "path": here,
            "type": _type(field),
            "required": name in required,
            **({"default": field["default"]} if "default" in field else {}),
            **({"rules": found} if (found := list(rules(field))) else {}),
        }
        if field.get("type") == "object":
            yield from fields(field, here)
        elif field.get("type") == "array" and not _are_conditions(field["items"]):
            yield from fields(field["items"], f"{here}[]")


def rules(field: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a value must keep to, in the order of the schema's own words."""
    if "enum" in field:
        yield "one of " + ", ".join(f"`{value}`" for value in field["enum"])
    for (least, most), counted in LIMITS.items():
        if found := limits(field.get(least), field.get(most)):
            yield f"{found}{counted}" if found != "at least 1" else f"at least 1{ONE[counted]}"
    if "pattern" in field:
        yield f"matches `{field['pattern']}`"
    for rule in field.get("x-kubernetes-validations", []):
        yield f"`{' '.join(rule['rule'].split())}`"
    of_items = field.get("items", field.get("additionalProperties"))
    if isinstance(of_items, Mapping) and "properties" not in of_items:
        yield from (f"each: {rule}" for rule in rules(of_items))
    elif isinstance(of_items, Mapping):
        for rule in of_items.get("x-kubernetes-validations", []):
            yield f"each: `{' '.join(rule['rule'].split())}`"
    if keys := field.get("x-kubernetes-list-map-keys"):
        yield f"unique by {', '.join(f'`{key}`' for key in keys)}"


def limits(least: int | None, most: int | None) -> str:
    """Return the words for a lower and an upper limit; nothing where there is none."""
    if least and most:
        return f"{least} to {most}"
    if most:
        return f"at most {most}"
    return f"at least {least}" if least else ""


def _are_conditions(item: Mapping[str, Any]) -> bool:
    return set(item.get("properties", {})) == CONDITION


def _type(field: Mapping[str, Any]) -> str:
    kind = field.get("type", "any")
    if kind == "array" and _are_conditions(field["items"]):
        return "list of conditions"
    if kind == "array":
        return f"list of {_type(field['items'])}s"
    if kind == "object" and "additionalProperties" in field:
        return f"map of {_type(field['additionalProperties'])}s"
    return str(kind)
