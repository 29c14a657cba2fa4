"""Work out what a million output tokens cost, and what each lever changes.

cost = GPUs x price of an hour / (tokens a second x 3,600 x utilization)
"""

import argparse
import itertools
import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

SHEET = Path(__file__).with_name("costs.toml")
INPUTS = ("price", "throughput", "utilization")
MILLION = 1_000_000


@dataclass(frozen=True)
class Fleet:
    """What decides the cost of a token."""

    gpus: int
    price: float  # US dollars for an hour of one GPU
    throughput: float  # output tokens a second of all, when they're full
    utilization: float  # share of that which was served

    def __post_init__(self) -> None:
        """Refuse what no fleet has."""
        if min(self.gpus, self.price, self.throughput) <= 0:
            message = "GPUs, price and throughput are above 0"
            raise ValueError(message)
        if not 0 < self.utilization <= 1:
            message = f"utilization is a share, not {self.utilization:g}"
            raise ValueError(message)


def cost(fleet: Fleet) -> float:
    """Return US dollars for a million output tokens."""
    tokens = fleet.throughput * 3600 * fleet.utilization
    return fleet.gpus * fleet.price / tokens * MILLION


def interval(gpus: int, ranges: dict[str, list[float]]) -> list[float]:
    """Return the lowest and the highest cost of all combinations."""
    found = [
        cost(Fleet(gpus, *values))
        for values in itertools.product(*(ranges[name] for name in INPUTS))
    ]
    return [min(found), max(found)]


def pulled(fleet: Fleet, lever: dict[str, Any]) -> Fleet:
    """Return the fleet with a lever's change."""
    name = lever["changes"]
    old = getattr(fleet, name)
    return replace(
        fleet, **{name: lever.get("to", old * lever.get("times", 1))}
    )


def show(name: str, other: Fleet, fleet: Fleet) -> None:
    """Print what another fleet costs, and the difference."""
    change = cost(other) / cost(fleet) - 1
    print(f"  ${cost(other):>5.2f}  {change:+5.0%}  {name}")


def break_even(fleet: Fleet, bought: float) -> float:
    """Return the utilization from which on the fleet is cheaper."""
    return cost(replace(fleet, utilization=1.0)) / bought


def bills(
    fleet: Fleet, teams: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Return dollars an hour of each team: for its tokens, and for idling.

    A team has a share of the served tokens, and one of the reservations.
    """
    whole = fleet.gpus * fleet.price
    served, idle = whole * fleet.utilization, whole * (1 - fleet.utilization)
    return [(served * used, idle * kept) for used, kept in teams]


def team(text: str) -> tuple[float, float]:
    """Return the shares of such as 30/50, in percent."""
    used, kept = (float(one) / 100 for one in text.split("/"))
    if not (0 <= used <= 1 and 0 <= kept <= 1):
        raise ValueError(text)
    return used, kept


def faults(sheet: dict[str, Any]) -> Iterator[str]:
    """Yield what keeps a sheet from being believed."""
    if not isinstance(sheet["gpus"], int):
        yield "gpus is not a whole number"
    for name in INPUTS:
        low, likely, high = sheet[name]["range"]
        if not low <= likely <= high:
            yield f"the range of {name} is not in order"
        if not sheet[name]["source"]:
            yield f"{name} has no source"
    for lever in sheet["levers"]:
        if lever["changes"] not in INPUTS:
            yield f"{lever['name']!r} changes none of {', '.join(INPUTS)}"
        if not lever["source"]:
            yield f"{lever['name']!r} has no source"
        if ("to" in lever) == ("times" in lever):
            yield f"{lever['name']!r} has not one of `to` and `times`"


def read_sheet(path: Path) -> dict[str, Any]:
    """Return a sheet in which each number has a source, or stop."""
    try:
        sheet = tomllib.loads(path.read_text(encoding="utf-8"))
        found = list(faults(sheet))
    except KeyError as error:
        message = f"{path.name}: {error} is missing"
        raise SystemExit(message) from error
    except (OSError, ValueError, TypeError) as error:
        message = f"{path.name}: {error}"
        raise SystemExit(message) from error
    if found:
        message = f"{path.name}: {'; '.join(found)}"
        raise SystemExit(message)
    return sheet


def main() -> None:
    """Print the cost of a million tokens, its interval, and the levers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sheet", nargs="?", type=Path, default=SHEET)
    parser.add_argument(
        "--bought",
        type=float,
        help="dollars for a million bought output tokens, with their input",
    )
    parser.add_argument(
        "--teams",
        type=team,
        nargs="+",
        default=[],
        help="percent of the tokens and of the reservation, such as 30/50",
    )
    options = parser.parse_args()
    if options.bought is not None and options.bought <= 0:
        parser.error("--bought is above 0")
    if options.teams and not all(
        math.isclose(sum(shares), 1)
        for shares in zip(*options.teams, strict=True)
    ):
        parser.error("the shares of all teams are 100 percent together")
    sheet = read_sheet(options.sheet)
    ranges = {name: sheet[name]["range"] for name in INPUTS}
    try:
        fleet = Fleet(sheet["gpus"], *(ranges[name][1] for name in INPUTS))
        low, high = interval(sheet["gpus"], ranges)
        rows = [(lever, pulled(fleet, lever)) for lever in sheet["levers"]]
    except (ValueError, TypeError) as error:
        message = f"{options.sheet.name}: {error}"
        raise SystemExit(message) from error
    print(sheet.get("what", options.sheet.name))
    print(
        f"a million output tokens: ${cost(fleet):.2f} ({low:.2f}-{high:.2f})"
    )
    together = fleet
    for lever, other in rows:
        show(lever["name"], other, fleet)
        together = pulled(together, lever)
    share = f"all of them, at {together.utilization:.0%} utilization"
    show(share, together, fleet)
    if options.bought is not None:
        for name, one in (("as it is", fleet), ("with all levers", together)):
            even = break_even(one, options.bought)
            when = f"above {even:.0%} utilization" if even < 1 else "never"
            print(f"cheaper than ${options.bought:g} {name}: {when}")
    hourly = bills(fleet, options.teams)
    for (used, kept), (tokens, idle) in zip(
        options.teams, hourly, strict=True
    ):
        print(f"{used:.0%} of the tokens, {kept:.0%} of the reservation:")
        print(f"  ${tokens + idle:.2f} an hour ({tokens:.2f} + {idle:.2f})")


if __name__ == "__main__":
    main()
