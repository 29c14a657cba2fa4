"""Compute how many turns find their conversation in a pod's cache.

Usage: python3 expected_share.py [turns]; by default, conversations of six.
"""

import argparse

PODS, MOST_TURNS = (1, 2, 3, 6, 12, 24), 100_000


def found_by_chance(pods: int, turns: int) -> float:
    """Return the share of turns that meet a pod which has had an earlier one.

    Each turn goes to one of `pods` by chance. Turn k misses when all k - 1
    turns before it went to others: (1 - 1 / pods) to the power of k - 1.
    """
    missed = sum((1 - 1 / pods) ** (turn - 1) for turn in range(1, turns + 1))
    return 1 - missed / turns


def found_when_kept(turns: int) -> float:
    """Return the share when all turns go to one pod: the first one misses."""
    return 1 - 1 / turns


def main() -> None:
    """Print the share for several numbers of pods."""
    parser = argparse.ArgumentParser(description="Expect hits by chance.")
    parser.add_argument("turns", type=int, nargs="?", default=6)
    turns = parser.parse_args().turns
    if turns < 1:
        parser.error("a conversation has at least one turn")
    if turns > MOST_TURNS:
        parser.error(f"more than {MOST_TURNS:,} turns take too long")
    print(f"{'pods':<8}{'by chance':>12}{'kept to one pod':>20}")
    for pods in PODS:
        chance, kept = found_by_chance(pods, turns), found_when_kept(turns)
        print(f"{pods:<8}{chance:>12.0%}{kept:>20.0%}")


if __name__ == "__main__":
    main()
