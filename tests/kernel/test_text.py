import pytest

from kernel.text import is_line, is_name, is_plain, mask_name


@pytest.mark.parametrize("bad", ["a\x00b", "\ud800", "a\x07", "\x1b[31m"])
def test_text_that_cannot_be_kept_is_refused(bad: str) -> None:
    assert not is_plain(bad, multiline=True)


@pytest.mark.parametrize("mark", ["\u202a", "\u202e", "\u2066", "\u2069"])
def test_no_text_reorders_what_stands_around_it(mark: str) -> None:
    assert not is_plain(f"付 100 元{mark}元 001", multiline=True)


@pytest.mark.parametrize(
    "bad", ["\u200e", "\u061c", "\u200b", "\u2060", "\ufeff", "０", "１", "٣", "९", "\n", "\x00", "\udfff"]
)
def test_a_line_beside_an_amount_reads_as_it_is_written(bad: str) -> None:
    assert not is_line(f"午饭{bad}100")
    assert not is_name(f"苏{bad}禾")


def test_a_line_may_have_emoji_and_other_scripts() -> None:
    assert is_line("谢谢 👨‍👩‍👧 مرحبا 100 元,½")


def test_a_message_may_have_lines_emoji_and_arabic() -> None:
    assert is_plain("第一行\n第二行 👨‍👩‍👧 مرحبا", multiline=True)
    assert not is_plain("第一行\n第二行", multiline=False)


@pytest.mark.parametrize("bad", ["", " ", " 苏禾", "苏\u202e禾", "苏\u200b禾", "苏\n禾", "\u3164"])
def test_a_name_hides_and_reorders_nothing(bad: str) -> None:
    assert not is_name(bad)


def test_a_registered_name_shows_all_but_its_first_character() -> None:
    assert (mask_name("林晓舟"), mask_name("林舟"), mask_name("林")) == ("*晓舟", "*舟", "*")
