"""Tests of the HTML in a browser."""
