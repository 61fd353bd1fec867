"""Alerts on account changes."""
