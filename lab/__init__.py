"""The kind cluster that runs the book's listings. `python -m lab --help` shows how."""
