"""Ports to the world outside the bank, with an adapter and a simulator each."""
