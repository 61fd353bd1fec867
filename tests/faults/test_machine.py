"""The ledger against a plain model, at length. `make test` runs the short form beside the ledger's other tests.

machine_steps counts what both were asked, machine_divergences where they parted.
"""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import FreshDatabase
from tests.faults.figures import LONG, note
from tests.finance.ledger.conftest import Books
from tests.finance.ledger.test_state_machine import machine_on

EXAMPLES, STEPS, LEAST_STEPS = (800, 50, 600 * 50) if LONG else (2, 10, 18)
"""Hypothesis ends a part of the runs early; so many steps were done in the end."""


def test_the_ledger_and_a_plain_model_never_part_however_long(fresh_database: FreshDatabase) -> None:
    machine, parted = machine_on(Books(fresh_database.world)), 0
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
    except Exception as found:
        # Several that differ come as a group.
        parted = len(getattr(found, "exceptions", [found]))
        raise
    finally:
        note(machine_steps=machine.asked, machine_divergences=parted)
    assert machine.asked >= LEAST_STEPS
