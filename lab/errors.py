"""The one error that the lab raises for people: a sentence with the remedy in it."""


class LabError(Exception):
    """Say what failed, where, and what to do; the command line prints it and exits 1."""


class NotAvailable(LabError):  # noqa: N818  (a finding, which makes proofs skip)
    """Something that this host can neither pull nor build; proofs that need it are skipped."""
