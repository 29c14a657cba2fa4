"""The kitchen sink: a small book with every element, built in the three editions by `nox -s docs`."""
