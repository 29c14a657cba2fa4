"""Tests of the book itself: its sources and, in editions/, what is built from them."""
