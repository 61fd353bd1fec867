"""Money is CNY in whole fen, an int. No float comes near it."""

MAX_FEN = 10**15
"""The largest amount that any field takes: ten trillion yuan."""

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")
MINUS = "\u2212"


def yuan(fen: int) -> str:
    """The amount with thousands and two decimals, a real minus sign: 123456 → `1,234.56`."""
    whole, rest = divmod(abs(fen), 100)
    return f"{MINUS if fen < 0 else ''}{whole:,}.{rest:02d}"


def _group_in_words(group: int) -> str:
    words = ""
    zero_due = False
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit:
            words += ("零" if zero_due else "") + _DIGITS[digit] + _PLACES[place]
            zero_due = False
        elif words:
            zero_due = True
    return words


def in_words(fen: int) -> str:
    """The amount in formal Chinese numerals, as on a cheque: 500000 → `人民币伍仟元整`.

    Follows 《支付结算办法》 annex 1. Raises ValueError below zero or above MAX_FEN.
    """
    if not 0 <= fen <= MAX_FEN:
        raise ValueError(f"{fen} fen has no form in words here")
    whole, cents = divmod(fen, 100)
    jiao, last = divmod(cents, 10)
    words = ""
    zero_due = False
    for index in range(len(_GROUPS) - 1, -1, -1):
        group = whole // 10_000**index % 10_000
        if not group:
            zero_due = bool(words)
            continue
        if words and (zero_due or group < 1000):
            words += "零"
        words += _group_in_words(group) + _GROUPS[index]
        zero_due = False
    words = f"{words}元" if words else ("" if cents else "零元")
    if not cents:
        return f"人民币{words}整"
    if jiao:
        words += _DIGITS[jiao] + "角"
    elif words:
        words += "零"
    return f"人民币{words}{_DIGITS[last] + '分' if last else '整'}"
