"""What a process notices of others' messages that did not arrive."""

from itertools import pairwise

import pytest

from chat.delivery.ear import AWAY_AGAIN_S, BEAT_S, GRACE_S, SILENT_S, Ear

ONE, TWO = b"1", b"2"


def ear() -> Ear:
    """One that has heard a beat of ONE, who has told nothing yet."""
    made = Ear(0.0, shared=True)
    made.heard(ONE, 0, 0.0, beat=True)
    return made


def test_what_arrives_in_order_is_nothing_to_wonder_about() -> None:
    here = ear()
    for number in range(1, 50):
        here.heard(ONE, number, number / 100)
    here.heard(ONE, 49, 1.0, beat=True)
    assert not here.missed(5.0)


def test_a_number_that_never_comes_is_missed_once() -> None:
    here = ear()
    here.heard(ONE, 1, 0.1)
    here.heard(ONE, 3, 0.2)
    assert not here.missed(0.2 + GRACE_S / 2)
    assert here.missed(0.3 + GRACE_S)
    assert not here.missed(0.4 + GRACE_S)


def test_what_two_tasks_sent_at_once_may_overtake_each_other() -> None:
    here = ear()
    here.heard(ONE, 2, 0.1)
    here.heard(ONE, 1, 0.2)
    assert not here.missed(5.0)


def test_the_last_one_is_missed_by_the_beat_that_follows() -> None:
    here = ear()
    here.heard(ONE, 1, 0.1)
    here.heard(ONE, 2, BEAT_S, beat=True)
    assert here.missed(BEAT_S + GRACE_S + 0.1)


def test_a_process_that_falls_silent_may_have_died_before_it_told_its_last() -> None:
    here = ear()
    here.heard(TWO, 0, 0.0, beat=True)
    here.heard(TWO, 0, SILENT_S, beat=True)
    here.heard_myself(SILENT_S)
    assert here.missed(SILENT_S + 0.1)
    assert not here.missed(SILENT_S + 0.2), "once"
    here.heard(ONE, 0, SILENT_S + 3, beat=True)
    assert not here.missed(SILENT_S + 3.1), "it is back, and has told nothing"


def test_a_process_that_says_goodbye_is_not_missed_unless_something_is() -> None:
    here = ear()
    here.heard(ONE, 1, 0.1)
    here.gone(ONE, 1, 0.2)
    here.heard_myself(SILENT_S)
    assert not here.missed(SILENT_S + 1)
    here.heard(TWO, 0, SILENT_S, beat=True)
    here.gone(TWO, 1, SILENT_S)
    assert here.missed(SILENT_S + 1.1)


def test_one_that_spoke_before_we_listened_told_what_we_did_not_hear() -> None:
    here = Ear(0.0, shared=True)
    here.heard(ONE, 7, 0.1)
    assert here.missed(0.2)
    here.heard(TWO, 1, 0.3)
    assert not here.missed(0.4), "its first"


@pytest.mark.parametrize("heard_others", [True, False])
def test_while_not_even_our_own_beats_come_back_clients_ask_every_few_seconds(heard_others: bool) -> None:
    here = ear() if heard_others else Ear(0.0, shared=True)
    asked = [at for at in range(1, 61) if here.missed(float(at))]
    assert asked[0] <= SILENT_S + 1
    assert all(AWAY_AGAIN_S <= later - earlier <= AWAY_AGAIN_S + 1 for earlier, later in pairwise(asked))
    assert asked[-1] > 60 - AWAY_AGAIN_S - 2
    here.heard_myself(61.0)
    assert not here.missed(61.5)


def test_who_shares_the_layer_with_nobody_misses_nothing() -> None:
    alone = Ear(0.0, shared=False)
    assert not any(alone.missed(float(at)) for at in range(60))


def test_a_gap_too_wide_to_list_is_a_gap() -> None:
    here = ear()
    here.heard(ONE, 10**9, 0.1)
    assert here.missed(0.2)
