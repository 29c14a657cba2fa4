"""Tests of the Sphinx extensions, on small books."""
