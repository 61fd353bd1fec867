"""What the PDFs' font cannot write does not push the rest out of its place."""

import pytest

from kernel.paper import drawable


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("房租 11 月 ¥ 5.00", "房租 11 月 ¥ 5.00"),
        ("工资 · 青禾设计", "工资 ・ 青禾设计"),
        ("生僻字 㛃䶮龘朤", "生僻字 㛃䶮龘朤"),
        ("房租 שלום", "房租 □□□□"),
        ("한 🎂", "□ □"),
    ],
)
def test_a_box_stands_for_what_the_font_does_not_have(text: str, drawn: str) -> None:
    assert drawable(text) == drawn
