"""Count the pod hours of a week under a schedule of KEDA.

Reads a ScaledObject whose triggers are of the kind cron, at full hours.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SCHEDULE = Path(__file__).with_name("night-schedule.yaml")
#: Full hours, of all days or of a range of weekdays; 0 and 7 are Sunday.
CRON = re.compile(r"0 (\d{1,2}) \* \* (?:\*|([0-7])-([0-7]))")
DAYS, HOURS = 7, 24
WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Window:
    """Hours of a week in which a trigger asks for pods: Monday is day 0."""

    hours: frozenset[tuple[int, int]]
    pods: int


def moments(cron: str) -> Iterator[int]:
    """Yield the hours of the week at which a cron expression is due."""
    found = CRON.fullmatch(cron)
    if not found or int(found[1]) >= HOURS:
        message = f"{cron!r} is not such as '0 7 * * 1-5'"
        raise ValueError(message)
    first, last = (int(found[2]), int(found[3])) if found[2] else (1, 7)
    if first > last:
        message = f"{cron!r} ends on a day before it begins"
        raise ValueError(message)
    for day in range(first, last + 1):
        yield (day - 1) % DAYS * HOURS + int(found[1])


def window(metadata: dict[str, Any]) -> Window:
    """Return the hours of a trigger: from each start to the next end."""
    ends = sorted(moments(metadata["end"]))
    week = DAYS * HOURS
    hours = set()
    for start in moments(metadata["start"]):
        length = min((end - start) % week or week for end in ends)
        hours |= {(start + hour) % week for hour in range(length)}
    pods = int(metadata["desiredReplicas"])
    return Window(frozenset(divmod(hour, HOURS) for hour in hours), pods)


def asked_for(windows: list[Window], moment: tuple[int, int]) -> list[int]:
    """Return the pods that triggers ask for in an hour of a day."""
    return [one.pods for one in windows if moment in one.hours]


def pods_by_hour(scaled: dict[str, Any]) -> list[list[int]]:
    """Return pods for each day and hour, Monday first."""
    spec = scaled["spec"]
    least = int(spec.get("minReplicaCount", 0))
    most = int(spec.get("maxReplicaCount", 100))
    windows = []
    for trigger in spec["triggers"]:
        if trigger["type"] != "cron":
            message = f"a trigger {trigger['type']!r} follows no clock"
            raise ValueError(message)
        windows.append(window(trigger["metadata"]))
    return [
        [
            min(most, max([least, *asked_for(windows, (day, hour))]))
            for hour in range(HOURS)
        ]
        for day in range(DAYS)
    ]


def main() -> None:
    """Print a week, and its pod hours beside those without a schedule."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=SCHEDULE)
    options = parser.parse_args()
    try:
        text = options.file.read_text(encoding="utf-8")
        week = pods_by_hour(yaml.safe_load(text))
    except KeyError as error:
        message = f"{options.file.name}: {error} is missing"
        raise SystemExit(message) from error
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        message = f"{options.file.name}: {' '.join(str(error).split())}"
        raise SystemExit(message) from error
    for day, pods in zip(WEEK, week, strict=True):
        print(day, "".join(map(str, pods)))
    counted = sum(map(sum, week))
    always = max(map(max, week)) * DAYS * HOURS
    share = counted / always if always else 1
    print(f"{counted} pod hours a week instead of {always}: {share:.0%}")


if __name__ == "__main__":
    main()
