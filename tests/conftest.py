"""Plugins of all tests: the proof harness, and pytest's own for testing plugins."""

# A test run inside a test forgets the modules that it was first to import; httpx, which imports
# httpcore late, would then know the errors of a copy that is no longer in use.
import httpcore  # noqa: F401

pytest_plugins = ["tests.harness.plugin", "pytester"]
