"""Leaves out what a session did not install: the editions' readers, the browser."""

from __future__ import annotations

from importlib.util import find_spec

#: Folder -> a package that all of its tests need. The nox sessions `docs` and `browser` have them.
NEEDS = {"editions": "pikepdf", "editions/browser": "axe_playwright_python"}
collect_ignore = [folder for folder, package in NEEDS.items() if find_spec(package) is None]
