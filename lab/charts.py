"""The Helm charts of llm-d's router, packaged as upstream releases them.

No Go module carries them, so they have two sources: the archive folder, where a user
puts what `helm pull` wrote, and the registry that upstream publishes to.
"""

from __future__ import annotations

from pathlib import Path

from lab import archives, edition, home, images, programs
from lab.errors import NotAvailable
from lab.process import run
from lab.progress import step

#: The registry, and the folder in it.
SERVER = "ghcr.io"
FOLDER = "llm-d/charts"


def file_name(chart: str) -> str:
    """Return the name under which `helm pull` saves a chart of the edition's router."""
    return f"{chart}-{edition.versions()['router']}.tgz"


def packaged(chart: str) -> Path:
    """Return the file of a chart such as `llm-d-router-standalone`, pulled if it is not there.

    Raises NotAvailable when neither the archive folder nor the registry has it.
    """
    name = file_name(chart)
    if given := archives.find(name):
        archives.require_whole(given)
        return given
    pulled = home.folder("charts") / name
    if not pulled.exists():
        _pull(chart, pulled)
    return pulled


def _pull(chart: str, target: Path) -> None:
    if not images.registry_answers(SERVER):
        message = (
            f"The chart {chart} is registry only: {SERVER} does not answer, and {home.archives()} "
            f"holds no {target.name}. Put it there as `helm pull` saves it, or connect."
        )
        raise NotAvailable(message)
    with step(f"Pulling the chart {chart}"), home.workplace(target.parent) as work:
        run(
            [
                programs.program("helm", "helm"),
                "pull",
                f"oci://{SERVER}/{FOLDER}/{chart}",
                f"--version={edition.versions()['router']}",
                f"--destination={work}",
            ],
            doing=f"Pulling the chart {chart}",
        )
        (work / target.name).rename(target)
