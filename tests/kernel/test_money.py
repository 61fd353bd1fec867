import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import MAX_FEN, in_words, yuan


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "人民币零元整"),
        (1, "人民币壹分"),
        (10, "人民币壹角整"),
        (107, "人民币壹元零柒分"),
        (2_000_00, "人民币贰仟元整"),
        (5_000_00, "人民币伍仟元整"),
        (10_010_00, "人民币壹万零壹拾元整"),
        (100_100_00, "人民币壹拾万零壹佰元整"),
        (20_000_500_00, "人民币贰仟万零伍佰元整"),
        (100_000_000_00, "人民币壹亿元整"),
        (1_234_567_890_12, "人民币壹拾贰亿叁仟肆佰伍拾陆万柒仟捌佰玖拾元壹角贰分"),
        (100_000_001_00, "人民币壹亿零壹元整"),
    ],
)
def test_an_amount_in_words_reads_as_on_a_cheque(fen: int, words: str) -> None:
    assert in_words(fen) == words


_DIGIT = {character: value for value, character in enumerate("零壹贰叁肆伍陆柒捌玖")}
_PLACE = {"拾": 10, "佰": 100, "仟": 1000}


def _read(words: str) -> int:
    """Reads formal numerals back into fen, by the way people do."""
    total = section = digit = 0
    fen = 0
    for character in words.removeprefix("人民币").removesuffix("整"):
        if character in _DIGIT:
            digit = _DIGIT[character]
        elif character in _PLACE:
            section, digit = section + digit * _PLACE[character], 0
        elif character == "万":
            section, digit = (section + digit) * 10_000, 0
        elif character == "亿":
            total, section, digit = (total + section + digit) * 100_000_000, 0, 0
        elif character == "元":
            fen, total, section, digit = (total + section + digit) * 100, 0, 0, 0
        elif character == "角":
            fen, digit = fen + digit * 10, 0
        elif character == "分":
            fen, digit = fen + digit, 0
    return fen


@given(st.integers(0, 10**13))
def test_words_read_back_are_the_amount(fen: int) -> None:
    assert _read(in_words(fen)) == fen


@pytest.mark.parametrize("fen", [-1, MAX_FEN + 1])
def test_an_amount_without_words_is_refused(fen: int) -> None:
    with pytest.raises(ValueError, match="no form in words"):
        in_words(fen)


def test_a_debt_is_written_with_a_real_minus() -> None:
    assert (yuan(-123_456), yuan(5), yuan(10**11)) == ("−1,234.56", "0.05", "1,000,000,000.00")
