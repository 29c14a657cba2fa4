"""Turn an objective into a budget, and a budget into alerts.

An alert with the factor F fires while errors come F times as fast as the
budget allows, in a long window and in a short one.
"""

import argparse
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHEET = Path(__file__).with_name("slo.toml")
HOUR = 3600.0


@dataclass(frozen=True)
class Objective:
    """A share of good requests, and the days over which it's promised."""

    target: float  # such as 0.995
    days: float

    def __post_init__(self) -> None:
        """Refuse what is no objective."""
        if not 0 < self.target < 1:
            message = f"a target is between 0 and 1, not {self.target}"
            raise ValueError(message)
        if not self.days > 0:
            message = f"a period has days, not {self.days}"
            raise ValueError(message)


def budget(objective: Objective) -> float:
    """Return the share of requests that may fail."""
    return 1 - objective.target


def threshold(objective: Objective, factor: float) -> float:
    """Return the share of errors above which an alert fires."""
    return min(1.0, factor * budget(objective))


def spent(objective: Objective, factor: float, hours: float) -> float:
    """Return the share of the budget that is gone after hours of it."""
    return factor * hours / (objective.days * 24)


def seconds_to_fire(
    objective: Objective, factor: float, hours: float, errors: float
) -> float:
    """Return how long errors must last from nothing until an alert fires.

    The long window decides: it holds `errors` for the time they've lasted,
    and none before. Never is infinity.
    """
    needed = threshold(objective, factor)
    return hours * HOUR * needed / errors if errors > needed else float("inf")


def clock(seconds: float) -> str:
    """Return seconds as a reader says them."""
    if seconds == float("inf"):
        return "never"
    for unit, length in (("h", HOUR), ("min", 60.0)):
        if seconds >= 1.5 * length:
            digits = 1 if unit == "h" else 0
            return f"{seconds / length:.{digits}f} {unit}"
    return f"{seconds:.0f} s"


def read_sheet(path: Path) -> tuple[Objective, list[dict[str, Any]]]:
    """Return objective and alerts of a sheet; stop with a sentence."""
    try:
        sheet = tomllib.loads(path.read_text(encoding="utf-8"))
        alerts: list[dict[str, Any]] = [
            {
                "action": str(one["action"]),
                "factor": float(one["factor"]),
                "hours": float(one["hours"]),
            }
            for one in sheet["alerts"]
        ]
        return Objective(float(sheet["target"]), float(sheet["days"])), alerts
    except KeyError as error:
        message = f"{path.name}: {error} is missing"
        raise SystemExit(message) from error
    except (OSError, ValueError, TypeError) as error:
        message = f"{path.name}: {error}"
        raise SystemExit(message) from error


def main() -> None:
    """Print the budget, and what each alert waits for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sheet", nargs="?", type=Path, default=SHEET)
    parser.add_argument(
        "--errors", type=float, default=1 / 3, help="share that fails"
    )
    options = parser.parse_args()
    if not 0 < options.errors <= 1:
        parser.error("--errors is a share above 0 and up to 1")
    objective, alerts = read_sheet(options.sheet)
    down = budget(objective) * objective.days * 24 * HOUR
    print(f"target   {objective.target:.2%} in {objective.days:g} days")
    print(f"budget   {budget(objective):.2%}, or {clock(down)} of silence")
    print()
    print(f"action   factor  fires at  spent then  {options.errors:.0%} fail")
    for one in alerts:
        factor, hours = one["factor"], one["hours"]
        fires = seconds_to_fire(objective, factor, hours, options.errors)
        print(
            f"{one['action']:<8}{factor:>7g}"
            f"{threshold(objective, factor):>10.1%}"
            f"{spent(objective, factor, hours):>12.0%}"
            f"{clock(fires):>10}"
        )


if __name__ == "__main__":
    main()
