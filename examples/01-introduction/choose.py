"""Ask when llm-d is the right choice, one question after the other.

Usage: python3 choose.py [yes|no ...]; without answers, it asks for them.
The questions are in choose.toml, beside this program.
"""

import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TREE = Path(__file__).with_name("choose.toml")
ANSWERS = ("yes", "no")


def read_tree() -> dict[str, Any]:
    """Return the questions and leaves of choose.toml."""
    return tomllib.loads(TREE.read_text())


def walk(tree: dict[str, Any], answer: Callable[[str], str]) -> Iterator[str]:
    """Yield the names on the way to a leaf, the leaf last.

    `answer` gets the name of a question and returns "yes" or "no".
    """
    name = tree["ask"]
    while name in tree["questions"]:
        yield name
        name = tree["questions"][name][answer(name)]
    yield name


def from_words(
    tree: dict[str, Any], words: list[str]
) -> Callable[[str], str]:
    """Return answers from the command line, or from whoever sits there."""
    left = iter(words)

    def answer(name: str) -> str:
        text = tree["questions"][name]["text"]
        given = next(left, "nothing") if words else input(f"{text} ")
        if given not in ANSWERS:
            sys.exit(f"{text} Answer yes or no, not {given!r}.")
        if words:
            print(f"{text} {given}")
        return given

    return answer


def main() -> None:
    """Walk the tree and print the leaf with its reason."""
    words = sys.argv[1:]
    try:
        tree = read_tree()
        *asked, leaf = walk(tree, from_words(tree, words))
        text, why = (tree["leaves"][leaf][key] for key in ("text", "why"))
    except (EOFError, KeyboardInterrupt):
        sys.exit("\nNo answer, no advice.")
    except (OSError, ValueError) as error:
        sys.exit(f"{TREE.name}: {error}")
    except KeyError as error:
        sys.exit(f"{TREE.name}: {error} is missing")
    if len(words) > len(asked):
        sys.exit(
            f"After {len(asked)} answers, {words[len(asked)]!r} is idle."
        )
    print(f"-> {text}\n   {why}")


if __name__ == "__main__":
    main()
