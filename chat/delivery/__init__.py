"""Delivery: the writer of the hot path, the hub of a process, the relay between processes."""
