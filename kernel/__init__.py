"""Nouns that every app may use: errors, money, clock, ids, jobs, audit, secrets, pictures."""
