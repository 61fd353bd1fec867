"""Account numbers."""

from finance.ledger.numbers import is_ours, number_with_tail


def test_the_number_that_the_readme_names_is_the_demos_own() -> None:
    assert number_with_tail("8823") == "6299060000000078823"
    assert is_ours(number_with_tail("8823"))
    assert len({number_with_tail(tail) for tail in ("8823", "2071", "6150")}) == 3
