"""Plugins of all tests: the proof harness, and pytest's own for testing plugins."""

pytest_plugins = ["tests.harness.plugin", "pytester"]
