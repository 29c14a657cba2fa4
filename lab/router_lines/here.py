"""Which line the lab runs, and what add-ons get of it. All that the rest of the lab calls."""

from __future__ import annotations

from lab import images
from lab.errors import LabError, NotAvailable
from lab.router_lines import translate
from lab.router_lines.table import version


def line() -> str:
    """Return the version of the router whose image the lab provides."""
    provided = images.recorded().get("router")
    return provided.name.rsplit(":", 1)[1] if provided else version("newer")


def described(wanted: str) -> str:
    """Return what a record says of a router's version: whether configurations were translated for it."""
    return wanted if wanted == version("newer") else f"{wanted}, configuration translated"


def require_newer(addon: str) -> None:
    """Raise NotAvailable when the lab's router is too old for an add-on."""
    if line() != version("newer"):
        message = f"The add-on {addon} needs router {version('newer')}; this lab has {line()}."
        raise NotAvailable(message)


def adapted(text: str, addon: str) -> str:
    """Return an add-on's objects for the lab's router; raises NotAvailable for what it lacks."""
    try:
        return translate(text, line())
    except LabError as error:
        message = f"The add-on {addon} cannot be had with this lab's router. {error}"
        raise NotAvailable(message) from error
