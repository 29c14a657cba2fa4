"""Tests of the three editions in build/, run by `nox -s docs`."""
