"""Words that staff may not use of a wealth product, and what to say instead.

After 《商业银行理财业务监督管理办法》 and 《理财公司理财产品销售管理暂行办法》: no promise of principal or return.
"""

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A forbidden word and its replacement, as staff read them."""

    word: str
    instead: str


FORBIDDEN: tuple[Word, ...] = (
    Word("保本", "非保本浮动收益"),
    Word("稳赚", "业绩比较基准"),
    Word("零风险", "风险等级"),
    Word("无风险", "风险等级"),
    Word("保收益", "业绩比较基准"),
    Word("保证收益", "业绩比较基准"),
    Word("预期收益", "业绩比较基准"),
    Word("包赚", "业绩比较基准"),
    Word("刚性兑付", "按净值兑付"),
)
ALLOWED = ("非保本", "不保本", "不保证收益")
# Every message is looked at, and nearly all have not even the first character of a forbidden word.
_FIRST = re.compile(f"[{''.join({entry.word[0] for entry in FORBIDDEN})}]")


def forbidden_in(text: str) -> Word | None:
    """The first forbidden word of a text, or None. Width, spaces and invisible marks do not hide one."""
    normal = unicodedata.normalize("NFKC", text)
    if not _FIRST.search(normal):
        return None
    folded = "".join(
        character
        for character in normal
        if not character.isspace() and unicodedata.category(character) not in {"Cf", "Po", "Pd"}
    )
    for phrase in ALLOWED:
        folded = folded.replace(phrase, "")
    return next((entry for entry in FORBIDDEN if entry.word in folded), None)
