"""Where the lines answer differently: values and metric names by line."""

from __future__ import annotations

import re
from typing import Any

from lab.errors import LabError
from lab.router_lines.table import Line, line_of, needed, table, version

#: What the series of a histogram add to its name.
SERIES = re.compile(r"(?P<name>\w+?)(?P<series>_bucket|_sum|_count)?")
#: How the router's own metrics begin, on either line.
ROUTERS = ("llm_d_", "inference_", "kvcache_")


def differs(name: str, line: str) -> Any:  # noqa: ANN401  (the table has numbers, texts and lists)
    """Return the value of a difference on a line (a version); None where it has none.

    Raises LabError, listing the known ones, for a name that is not in the table.
    """
    rows = table()["differences"]
    if name not in rows:
        message = f"No difference {name} in lab/router_lines/table.toml; known are {', '.join(sorted(rows))}."
        raise LabError(message)
    return rows[name].get(line_of(line))


def metric(name: str, line: str) -> str:
    """Return what a metric of the newer line is called on a line (a version).

    A histogram's series (`_bucket`, `_sum`, `_count`) are found under its name. Raises
    LabError where the line counts no such thing; names that are not the router's are
    the same everywhere.
    """
    found = _renamed(name, line_of(line))
    if found is None:
        message = f"The metric {name} needs {needed()}: {version('older')} has no counterpart."
        raise LabError(message)
    return found


def metric_names_in(expression: str, line: Line) -> dict[str, str | None]:
    """Return the metrics of a PromQL expression that have another name on a line."""
    names = {word for word in re.findall(r"\b[a-z]\w+\b", expression) if word.startswith(ROUTERS)}
    renamed = {name: _renamed(name, line) for name in sorted(names)}
    return {name: other for name, other in renamed.items() if other != name}


def _renamed(name: str, line: Line) -> str | None:
    """Return a metric's name on a line; None where there is none."""
    pairs = table()["metrics"]
    names = pairs if line == "older" else {older: newer for newer, older in pairs.items()}
    if name in names:
        return str(names[name])
    parts = SERIES.fullmatch(name)
    if parts and parts["name"] in names:
        return f"{names[parts['name']]}{parts['series'] or ''}"
    own = line == "older" and name.startswith(("llm_d_epp_", "llm_d_router_"))
    return None if own else name
