"""How many replicas does a load need?"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from math import ceil

HEADROOM = 1.25


@dataclass(frozen=True)
class Load:
    """What clients ask for: requests a second, and tokens in each answer."""

    requests: float
    tokens: int

    @property
    def tokens_per_second(self) -> float:
        """Return how many tokens must be written each second."""
        return self.requests * self.tokens


def replicas(load: Load, tokens_per_second: float) -> int:
    """Return how many replicas carry a load, with room to spare.

    Raise ValueError when a replica writes no tokens.
    """
    if tokens_per_second <= 0:
        message = f"a replica writes {tokens_per_second} tokens; measure it"
        raise ValueError(message)
    return ceil(load.tokens_per_second * HEADROOM / tokens_per_second)


def sessions(load: Load, seconds: float) -> int:
    """Return how many requests are under way at once, by Little's law."""
    return ceil(load.requests * seconds)


def cost(count: int, euros_per_hour: float, hours: int = 730) -> float:
    """Return what replicas cost in a month, in euros."""
    return round(count * euros_per_hour * hours, 2)


def report(load: Load, tokens_per_second: float) -> str:
    """Return the answer as one line: 0 is no O, and 1 is no l or I."""
    count = replicas(load, tokens_per_second)
    return f"{load.requests:.1f} requests/s need {count} replica(s)"


def main() -> None:
    """Read the load from the command line and print the answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=float, required=True)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--tokens-per-second", type=float, default=900.0)
    options = parser.parse_args()
    load = Load(options.requests, options.tokens)
    try:
        print(report(load, options.tokens_per_second))
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
