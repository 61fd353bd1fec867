"""The ledger against a plain model: whatever is done to both, both say the same, and the books hold."""

import os
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from finance.ledger import queries
from finance.ledger.actions import Leg, NewEntry
from finance.ledger.errors import AlreadyReversed, CeilingReached, HoldNotOpen, InsufficientFunds, Unbalanced
from finance.ledger.models import Account
from finance.ledger.verify import verify
from kernel.errors import KeyReused
from tests.conftest import FreshDatabase
from tests.finance.ledger.conftest import Books, key

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "12"))
STEPS = int(os.environ.get("LEDGER_STEPS", "30"))
CEILING = 2_000
AMOUNTS = st.integers(1, 1_500)
TURNS = st.integers(1, 3)
"""How far it is from one place to another one: none goes to where it comes from."""


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


def machine_on(books: Books) -> Any:
    """The machine over a database; each run of it opens accounts of its own there."""

    class Machine(RuleBasedStateMachine):
        moves = Bundle("moves")
        holds = Bundle("holds")
        done = Bundle("done")
        asked = 0
        """How often the ledger and the model were asked the same, in all runs."""

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
            Machine.asked += 1
            try:
                result = work()
            except Exception as refused:
                assert expected is not None and isinstance(refused, expected), f"unexpected {refused!r}"
                return None
            assert expected is None, f"{expected} was expected"
            return result

        @rule(target=moves, source=st.integers(0, 3), turn=TURNS, fen=AMOUNTS)
        def transfer(self, source: int, turn: int, fen: int) -> Any:
            used, to = key(), (source + turn) % 4
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
            again = self.attempt(None, lambda: books.post((self.ids[source], -fen), (self.ids[to], fen), key=used))
            assert (again.entry_id, again.replayed) == (entry, True)

        @rule(move=moves, more=st.integers(1, 5))
        def reuse_the_key(self, move: Any, more: int) -> None:
            used, source, to, fen, *_ = move
            self.attempt(
                KeyReused,
                lambda: books.post((self.ids[source], -fen - more), (self.ids[to], fen + more), key=used),
            )

        @rule(target=done, move=moves)
        def reverse(self, move: Any) -> Any:
            _, source, to, fen, entry, reversals = move
            used, expected = key(), self.refusal(to, source, fen)
            if reversals:
                # Which of two reasons is named first is the database's business.
                expected = AlreadyReversed if expected is None else Exception
            if self.attempt(expected, lambda: books.reverse(entry, key=used)) is None:
                return multiple()
            reversals.append(True)
            self.model.move(to, source, fen)
            return lambda: books.reverse(entry, key=used)

        @rule(target=holds, source=st.integers(0, 2), fen=AMOUNTS)
        def hold(self, source: int, fen: int) -> Any:
            used, expected = key(), InsufficientFunds if self.model.free(source) < fen else None
            result = self.attempt(expected, lambda: books.hold(self.ids[source], fen, key=used))
            if result is None:
                return multiple()
            self.model.held[source] += fen
            return {"id": result.hold_id, "source": source, "fen": fen, "open": True, "key": used}

        @rule(hold=holds)
        def replay_a_hold(self, hold: dict[str, Any]) -> None:
            again = self.attempt(None, lambda: books.hold(self.ids[hold["source"]], hold["fen"], key=hold["key"]))
            assert (again.hold_id, again.replayed) == (hold["id"], True)

        @rule(target=done, hold=holds, turn=TURNS, less=st.integers(0, 700))
        def capture(self, hold: dict[str, Any], turn: int, less: int) -> Any:
            return self.share(hold, [((hold["source"] + turn) % 4, max(1, hold["fen"] - less))])

        @rule(target=done, hold=holds, shares=st.lists(st.integers(1, 500), min_size=2, max_size=3))
        def open_a_packet(self, hold: dict[str, Any], shares: list[int]) -> Any:
            """What was held goes to several people at once; what nobody took is free again."""
            return self.share(hold, [((hold["source"] + turn) % 4, fen) for turn, fen in enumerate(shares, start=1)])

        def share(self, hold: dict[str, Any], shares: list[tuple[int, int]]) -> Any:
            """Ends a hold by moving it; answers how the same is asked again, if it went well."""
            used, legs = key(), [(self.ids[to], fen) for to, fen in shares]
            expected: type[Exception] | None = None
            if any(self.model.room(to) < fen for to, fen in shares):
                expected = CeilingReached
            if not hold["open"]:
                expected = HoldNotOpen
            if sum(fen for _, fen in shares) > hold["fen"]:
                expected = Unbalanced
            if self.attempt(expected, lambda: books.capture(hold["id"], *legs, key=used)) is None:
                return multiple()
            hold["open"] = False
            self.model.held[hold["source"]] -= hold["fen"]
            for to, fen in shares:
                self.model.move(hold["source"], to, fen)
            return lambda: books.capture(hold["id"], *legs, key=used)

        @rule(target=done, hold=holds, expire=st.booleans())
        def let_go(self, hold: dict[str, Any], expire: bool) -> Any:
            used, way = key(), books.expire if expire else books.release
            if self.attempt(None if hold["open"] else HoldNotOpen, lambda: way(hold["id"], key=used)) is None:
                return multiple()
            hold["open"] = False
            self.model.held[hold["source"]] -= hold["fen"]
            return lambda: way(hold["id"], key=used)

        @rule(again=done)
        def replay_what_was_ended_or_taken_back(self, again: Any) -> None:
            assert self.attempt(None, again).replayed is True

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
