"""Accounts, entries, postings, holds."""
