"""Write what the reference appendices are made of: `python -m tools.reference`.

It asks the programs of the edition and writes source/reference/*.json; the words beside
them, source/reference/*.toml, are typed by hand. With `--check` it only compares. What
only a cluster shows is asked of the lab where one is up.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab import edition
from lab.errors import LabError
from tools.reference import in_lab
from tools.reference.programs import Programs
from tools.reference.record import FOLDER, PARTS, recorded


def chosen() -> list[str]:
    """Return the parts that can be recorded here."""
    if in_lab.is_up():
        return list(PARTS)
    print("No lab is up: lab.json stays as it is.")
    return [part for part in PARTS if part != "lab"]


def main() -> int:
    """Write the files, or tell which are out of date."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.reference", description="Ask the programs what the reference appendices say."
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="part", help=", ".join(PARTS))
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument(
        "--programs", type=Path, help="a folder with epp and pd-sidecar, in place of the lab's images"
    )
    options = parser.parse_args()
    stale = []
    try:
        programs = Programs.in_folder(options.programs) if options.programs else Programs.of_the_lab()
        for part in options.parts or chosen():
            file = FOLDER / f"{part}.json"
            text = recorded(part, programs)
            if not options.check:
                file.write_text(text, encoding="utf-8")
                print(f"{file.relative_to(edition.PROJECT)} is written.")
            elif not file.exists() or text != file.read_text(encoding="utf-8"):
                stale.append(file.name)
    except LabError as error:
        sys.exit(str(error))
    if stale:
        sys.exit(f"{', '.join(stale)}: not what the programs say; run `nox -s reference`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
