"""The local launcher: needs only Python's standard library until it has installed the rest."""
