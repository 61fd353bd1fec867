"""Transfers, account opening, class rules, payouts."""
