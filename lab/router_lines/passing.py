"""One translation under way: where it goes, what it changed, what it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lab.router_lines.table import Line, Rule, fill, needed, table, version


@dataclass(frozen=True)
class Change:
    """One thing that is different after a translation: in which document, what, and why.

    `rule` is the number of the rule that asked for it.
    """

    rule: int
    where: str
    what: str
    why: str


@dataclass
class Pass:
    """What the rules share while they work through a text.

    `flags` are parameters of the metrics source on their way between a configuration
    and the endpoint picker's flags; `where` names the document at hand.
    """

    to: Line
    where: str = ""
    changes: list[Change] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    flags: dict[str, Any] = field(default_factory=dict)

    def changed(self, rule: Rule, what: str, reason: str | None = None) -> None:
        """Report a change; its reason is the rule's, for this direction if it has two."""
        why = rule["why"]
        text = why if isinstance(why, str) else why[reason or self.to]
        self.changes.append(Change(rule["number"], self.where, what, fill(text)))

    def refuse(self, what: str, hint: str = "") -> None:
        """Note that the target line cannot do something; the translation ends with it."""
        if self.to == "older":
            advice = fill(hint) if hint else f"{version('older')} has no counterpart"
            self.refusals.append(f"{self.where}: {what} needs {needed()}: {advice}.")
        else:
            advice = f": {fill(hint)}" if hint else ""
            self.refusals.append(
                f"{self.where}: {what} has no counterpart on router {version('newer')}{advice}."
            )

    def hint(self, name: str) -> str:
        """Return what to do instead of a plugin that this line cannot have."""
        found: str = table()["refused"][self.to].get(name, "")
        return found
