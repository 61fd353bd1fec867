"""The table of account classes, and the one function that reads it."""

from hypothesis import example, given
from hypothesis import strategies as st

from finance.ledger import rules
from finance.ledger.rules import Decision, Side, decide

amounts = st.integers(min_value=1, max_value=10**12)
used = st.integers(min_value=0, max_value=10**10)
sides = st.builds(
    Side,
    account_class=st.sampled_from(["I", "II", "III"]),
    opened_remotely=st.booleans(),
    balance_fen=used,
    used_day_fen=used,
    used_year_fen=used,
)
directions = st.sampled_from(["in", "out"])
counterparts = st.sampled_from(["bound", "own", "other", "wealth"])


def plain_answer(side: Side, direction: str, counterpart: str, amount: int) -> bool:
    """The rule in the words of PRODUCT.md, without the table."""
    if side.account_class == "I":
        if side.opened_remotely:
            return False
        return direction == "in" or counterpart != "other" or side.used_day_fen + amount <= 5_000_000
    fits = side.account_class != "III" or direction == "out" or side.balance_fen + amount <= 200_000
    if counterpart == "bound":
        return fits
    if counterpart == "wealth":
        return side.account_class == "II"
    if side.account_class == "II":
        if direction == "in" and side.opened_remotely:
            return False
        return side.used_day_fen + amount <= 1_000_000 and side.used_year_fen + amount <= 20_000_000
    return fits and side.used_day_fen + amount <= 200_000 and side.used_year_fen + amount <= 5_000_000


@given(sides, directions, counterparts, amounts)
@example(Side("III", True, 199_999), "in", "other", 1)
@example(Side("III", True, 199_999), "in", "other", 2)
@example(Side("III", True, 0, 0, 4_999_999), "out", "other", 1)
@example(Side("III", True, 0, 0, 4_999_999), "out", "other", 2)
@example(Side("II", True), "in", "other", 1)
@example(Side("II", False, 0, 999_999), "in", "other", 1)
@example(Side("II", False, 0, 999_999), "in", "other", 2)
@example(Side("II", True, 0, 0, 19_999_999), "out", "other", 1)
@example(Side("II", True, 0, 0, 19_999_999), "out", "other", 2)
@example(Side("II", True, 0, 10**9, 10**9), "out", "bound", 10**9)
@example(Side("I", False, 0, 4_999_999), "out", "other", 1)
@example(Side("I", False, 0, 4_999_999), "out", "other", 2)
def test_the_function_says_what_the_rule_says_in_words(side, direction, counterpart, amount):
    assert decide(side, direction, counterpart, amount).ok == plain_answer(side, direction, counterpart, amount)


@given(sides, directions, counterparts, amounts)
def test_every_no_names_its_rule_in_both_languages_and_what_would_fit(side, direction, counterpart, amount):
    decision = decide(side, direction, counterpart, amount)
    if decision.ok:
        assert decision == Decision(True, fits_fen=decision.fits_fen)
        assert decision.fits_fen is None or decision.fits_fen >= amount
        return
    assert decision.code in {"class_forbids", "day_limit", "year_limit", "ceiling"}
    assert rules.SOURCE_ZH in decision.zh or rules.PIN_SOURCE_ZH in decision.zh
    assert decision.en and decision.en != decision.zh
    assert decision.fits_fen is not None and decision.fits_fen < amount


@given(sides, directions, counterparts, amounts)
def test_what_fits_is_allowed_and_one_fen_more_is_not(side, direction, counterpart, amount):
    fits = decide(side, direction, counterpart, amount).fits_fen
    if fits:
        assert decide(side, direction, counterpart, fits).ok
    if fits is not None:
        assert not decide(side, direction, counterpart, fits + 1).ok


@given(sides, directions, counterparts, amounts)
def test_using_more_of_a_limit_never_allows_more(side, direction, counterpart, amount):
    more = Side(
        side.account_class,
        side.opened_remotely,
        side.balance_fen + 1,
        side.used_day_fen + 1,
        side.used_year_fen + 1,
    )
    assert decide(side, direction, counterpart, amount).ok or not decide(more, direction, counterpart, amount).ok


def test_the_table_has_a_row_for_every_account_that_can_exist():
    for account_class in ("I", "II", "III"):
        for remotely in (False, True):
            for direction in ("in", "out"):
                for counterpart in ("bound", "own", "other", "wealth"):
                    key = (account_class, remotely, direction, counterpart)
                    assert (key in rules.TABLE) == (account_class != "I" or not remotely)


def test_a_remotely_opened_class_ii_account_takes_no_strangers_money_and_says_why():
    decision = decide(Side("II", True), "in", "other", 1)
    assert decision.zh == "线上开立的 II 类账户只能从它绑定的账户收款(银发〔2016〕302号)。"
    assert decision.code == "class_forbids"
