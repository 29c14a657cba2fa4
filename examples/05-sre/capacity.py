"""Say what a pool of model servers can take, by Little's law.

Requests in progress = requests a second x seconds of one request. A pool is
full when that's all that its engines take at once.
"""

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path

NEAR = 0.1


@dataclass(frozen=True)
class Request:
    """What one request takes, on an engine that is as full as planned."""

    first_token: float  # seconds
    next_token: float  # seconds
    tokens: int  # of the answer

    @property
    def seconds(self) -> float:
        """Return how long a request holds a slot of an engine."""
        return self.first_token + (self.tokens - 1) * self.next_token


def most(request: Request, pods: int, at_once: int) -> float:
    """Return the most requests a second that a pool can answer."""
    return pods * at_once / request.seconds


def in_progress(request: Request, rate: float) -> float:
    """Return how many requests are in progress at a rate."""
    return rate * request.seconds


def pods_for(
    request: Request, rate: float, at_once: int, headroom: float, spare: int
) -> int:
    """Return how many pods a rate needs, with a share of each kept free.

    `spare` pods come on top: what may be lost, or is being replaced.
    """
    slots = in_progress(request, rate) / (1 - headroom)
    # Not a pod more because of the last bit of a fraction.
    return math.ceil(round(slots / at_once, 9)) + spare


def measured(file: Path) -> float:
    """Return the most that was answered a second, or stop."""
    try:
        steps = json.loads(file.read_text(encoding="utf-8"))
        return max(float(step["answered"]) for step in steps)
    except (OSError, ValueError, LookupError, TypeError) as error:
        message = f"{file.name}: {error!r}"
        raise SystemExit(message) from error


def main() -> None:
    """Print the arithmetic."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--first-token", type=float, required=True, help="in seconds")
    add("--next-token", type=float, required=True, help="in seconds")
    add("--tokens", type=int, required=True, help="of an answer")
    add("--at-once", type=int, required=True, help="requests in one pod")
    add("--pods", type=int, default=3)
    add("--rate", type=float, help="requests a second, in the busiest minute")
    add("--headroom", type=float, default=0.3, help="share to keep free")
    add("--measured", type=Path, help="what load.py --json wrote")
    add("--spare", type=int, default=1, help="pods that may be missing")
    options = parser.parse_args()
    if not (options.first_token > 0 and options.next_token >= 0):
        parser.error("latencies are seconds above 0")
    if min(options.tokens, options.at_once, options.pods) < 1:
        parser.error("tokens, --at-once and --pods are whole, from 1 on")
    if not 0 <= options.headroom < 1 or options.spare < 0:
        parser.error("--headroom is a share below 1, --spare 0 or more")
    if options.rate is not None and not options.rate > 0:
        parser.error("--rate is above 0")
    request = Request(options.first_token, options.next_token, options.tokens)
    limit = most(request, options.pods, options.at_once)
    print(f"a request holds a slot for   {request.seconds:.2f} s")
    slots = options.pods * options.at_once
    print(f"slots in {options.pods} pods{slots:>19}")
    print(f"the pool is full at          {limit:.2f} requests a second")
    print(f"                             {limit * request.tokens:.0f} tokens")
    if options.measured:
        best = measured(options.measured)
        print(f"measured                     {best:.2f} requests a second")
        near = "yes" if abs(best / limit - 1) <= NEAR else "no"
        print(f"within {NEAR:.0%} of each other    {near}")
    if options.rate is None:
        return
    needed = pods_for(
        request,
        options.rate,
        options.at_once,
        options.headroom,
        options.spare,
    )
    busy = in_progress(request, options.rate)
    print()
    print(f"{options.rate:g} a second keep {busy:.1f} slots busy")
    free, spare = options.headroom, options.spare
    print(f"with {free:.0%} free and {spare} spare: {needed} pods")


if __name__ == "__main__":
    main()
