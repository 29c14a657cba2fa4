"""Tests of the makers' programs."""
