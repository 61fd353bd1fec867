"""The guards of money, each taken away once, and the test that must notice.

A mutant is SQL on the test's database, a function of the database with some words changed, or a module with some words
changed. Where another guard of the same thing would cover for it, `off` and `off_modules` switch that one off; with the
guard in place and only that done, the test must pass. What the catalogue of the database knows of is attacked beside
this list, in one process (`tests/faults/attacks.py`).
"""

from tests.faults.mutants import bank_session, identity, ledger, locks, payments, wealth
from tests.faults.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *ledger.MUTANTS,
    *locks.MUTANTS,
    *bank_session.MUTANTS,
    *identity.MUTANTS,
    *payments.MUTANTS,
    *wealth.MUTANTS,
)

__all__ = ["MUTANTS", "Mutant"]
