"""Read a page again when what it was made of has changed, though none of it is a file that Sphinx watches.

A directive notes the state of what it read, a text that changes when that does; before the
next build the states are compared.
"""

from __future__ import annotations

from collections.abc import Callable

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

StateOf = Callable[[BuildEnvironment], str]


def made_of(env: BuildEnvironment, name: str, state_of: StateOf) -> None:
    """Note, as a field of its metadata, the state of what the page that is read now is made of."""
    env.metadata[env.docname][name] = state_of(env)


def reread_when_changed(app: Sphinx, name: str, state_of: StateOf) -> None:
    """Let a build read every page again that noted another state than the present one."""

    def outdated(
        _app: Sphinx, env: BuildEnvironment, _added: set[str], _changed: set[str], _removed: set[str]
    ) -> list[str]:
        pages = [page for page, fields in env.metadata.items() if name in fields]
        return [page for page in pages if env.metadata[page][name] != state_of(env)]

    app.connect("env-get-outdated", outdated)
