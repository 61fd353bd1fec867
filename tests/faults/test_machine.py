"""The ledger against a plain model, at length. `make test` runs the short form beside the ledger's other tests."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.conftest import FreshDatabase
from tests.faults.figures import LONG, note
from tests.finance.ledger.conftest import Books
from tests.finance.ledger.test_state_machine import machine_on

EXAMPLES, STEPS = (600, 50) if LONG else (2, 10)


def test_the_ledger_and_a_plain_model_never_part_however_long(fresh_database: FreshDatabase) -> None:
    machine = machine_on(Books(fresh_database.world))
    taken = 0

    class Counted(machine):  # type: ignore[misc, valid-type]
        def check_invariants(self, *args: object, **kwargs: object) -> None:
            nonlocal taken
            taken += 1
            super().check_invariants(*args, **kwargs)

    assert issubclass(Counted, RuleBasedStateMachine)
    run_state_machine_as_test(
        Counted,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    note(machine_steps=taken, machine_divergences=0)
    assert taken > EXAMPLES
