"""The ledger against a plain model: whatever is done to both, both say the same, and the books hold."""

import os
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from finance.ledger import queries
from finance.ledger.actions import Leg, NewEntry
from finance.ledger.errors import AlreadyReversed, CeilingReached, HoldNotOpen, InsufficientFunds
from finance.ledger.models import Account
from finance.ledger.verify import verify
from kernel.errors import KeyReused
from tests.conftest import FreshDatabase
from tests.finance.ledger.conftest import Books, key

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "12"))
STEPS = int(os.environ.get("LEDGER_STEPS", "30"))
CEILING = 2_000
AMOUNTS = st.integers(1, 1_500)
PLACES = st.integers(0, 3)


class Model:
    """Ten lines: balances, what is held, ceilings; the last place is the bank's own and knows no limit."""

    def __init__(self) -> None:
        self.balance, self.held = [1_000, 500, 0, 0], [0, 0, 0, 0]

    def room(self, place: int) -> int:
        return CEILING - self.balance[place] if place == 2 else 10**9

    def free(self, place: int) -> int:
        return 10**9 if place == 3 else self.balance[place] - self.held[place]

    def move(self, source: int, target: int, fen: int) -> None:
        self.balance[source] -= fen
        self.balance[target] += fen


def machine_on(books: Books) -> type[RuleBasedStateMachine]:
    """The machine over a database; each run of it opens accounts of its own there."""

    class Machine(RuleBasedStateMachine):
        moves = Bundle("moves")
        holds = Bundle("holds")

        def __init__(self) -> None:
            super().__init__()
            self.model = Model()
            self.bank_began = books.balance(books.bank("settlement"))
            self.ids: list[UUID] = [
                books.open("su", 1_000),
                books.open("lin", 500),
                books.open("jiang", account_class="III", ceiling_fen=CEILING),
                books.bank("settlement"),
            ]

        def refusal(self, source: int, target: int, fen: int) -> type[Exception] | None:
            """What the model says to a movement of free money."""
            if self.model.free(source) < fen and self.model.room(target) < fen:
                return Exception
            if self.model.free(source) < fen:
                return InsufficientFunds
            return CeilingReached if self.model.room(target) < fen else None

        def attempt(self, expected: type[Exception] | None, work: Any) -> Any:
            try:
                result = work()
            except Exception as refused:
                assert expected is not None and isinstance(refused, expected), f"unexpected {refused!r}"
                return None
            assert expected is None, f"{expected} was expected"
            return result

        @rule(target=moves, source=PLACES, to=PLACES, fen=AMOUNTS)
        def transfer(self, source: int, to: int, fen: int) -> Any:
            if source == to:
                return multiple()
            used = key()
            result = self.attempt(
                self.refusal(source, to, fen),
                lambda: books.post((self.ids[source], -fen), (self.ids[to], fen), key=used),
            )
            if result is None:
                return multiple()
            self.model.move(source, to, fen)
            return (used, source, to, fen, result.entry_id, [])

        @rule(move=moves)
        def replay(self, move: Any) -> None:
            used, source, to, fen, entry, _ = move
            again = books.post((self.ids[source], -fen), (self.ids[to], fen), key=used)
            assert (again.entry_id, again.replayed) == (entry, True)

        @rule(move=moves, more=st.integers(1, 5))
        def reuse_the_key(self, move: Any, more: int) -> None:
            used, source, to, fen, *_ = move
            self.attempt(
                KeyReused,
                lambda: books.post((self.ids[source], -fen - more), (self.ids[to], fen + more), key=used),
            )

        @rule(move=moves)
        def reverse(self, move: Any) -> None:
            _, source, to, fen, entry, reversals = move
            expected = self.refusal(to, source, fen)
            if reversals:
                # Which of two reasons is named first is the database's business.
                expected = AlreadyReversed if expected is None else Exception
            if self.attempt(expected, lambda: books.reverse(entry)) is not None:
                reversals.append(True)
                self.model.move(to, source, fen)

        @rule(target=holds, source=st.integers(0, 2), fen=AMOUNTS)
        def hold(self, source: int, fen: int) -> Any:
            expected = InsufficientFunds if self.model.free(source) < fen else None
            result = self.attempt(expected, lambda: books.hold(self.ids[source], fen))
            if result is None:
                return multiple()
            self.model.held[source] += fen
            return {"id": result.hold_id, "source": source, "fen": fen, "open": True}

        @rule(hold=holds, to=PLACES, less=st.integers(0, 700))
        def capture(self, hold: dict[str, Any], to: int, less: int) -> None:
            source, fen = hold["source"], max(1, hold["fen"] - less)
            if source == to:
                return
            expected: type[Exception] | None = CeilingReached if self.model.room(to) < fen else None
            if not hold["open"]:
                expected = HoldNotOpen
            if self.attempt(expected, lambda: books.capture(hold["id"], (self.ids[to], fen))) is not None:
                hold["open"] = False
                self.model.held[source] -= hold["fen"]
                self.model.move(source, to, fen)

        @rule(hold=holds, expire=st.booleans())
        def let_go(self, hold: dict[str, Any], expire: bool) -> None:
            way = books.expire if expire else books.release
            if self.attempt(None if hold["open"] else HoldNotOpen, lambda: way(hold["id"])) is not None:
                hold["open"] = False
                self.model.held[hold["source"]] -= hold["fen"]

        @rule(parts=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 300)), min_size=1, max_size=6))
        def pay_out_a_batch(self, parts: list[tuple[int, int]]) -> None:
            totals = [sum(fen for to, fen in parts if to == place) for place in range(3)]
            fits = all(self.model.room(place) >= totals[place] for place in range(3))
            entries = [
                NewEntry(key(), "refund", [Leg(self.ids[3], -fen), Leg(self.ids[to], fen)], "批量") for to, fen in parts
            ]
            if self.attempt(None if fits else CeilingReached, lambda: books.batch(entries)) is not None:
                for to, fen in parts:
                    self.model.move(3, to, fen)

        @invariant()
        def both_say_the_same(self) -> None:
            rows = {row.pk: row for row in Account.objects.filter(pk__in=self.ids[:3])}
            found = [(rows[id].balance_fen, rows[id].held_fen) for id in self.ids[:3]]
            assert found == list(zip(self.model.balance[:3], self.model.held[:3], strict=True))
            bank = queries.balance(queries.internal("settlement"))
            assert bank - self.bank_began == self.model.balance[3]

        def teardown(self) -> None:
            assert verify().broken is None

    return Machine


def test_the_ledger_and_a_plain_model_never_part(fresh_database: FreshDatabase) -> None:
    run_state_machine_as_test(
        machine_on(Books(fresh_database.world)),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
