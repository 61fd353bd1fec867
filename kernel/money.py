"""Money is CNY in whole fen, an int. No float comes near it."""

MAX_FEN = 10**15
"""The largest amount that any field takes: ten trillion yuan."""

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
MINUS = "\u2212"


def yuan(fen: int) -> str:
    """The amount with thousands and two decimals, a real minus sign: 123456 → `1,234.56`."""
    whole, rest = divmod(abs(fen), 100)
    return f"{MINUS if fen < 0 else ''}{whole:,}.{rest:02d}"


def _thousands_in_words(group: int) -> str:
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


def _joined(high: str, unit: str, low: int, low_words: str, low_size: int) -> str:
    """Two neighbouring groups; a zero is read where the lower one does not fill its first place."""
    if not high:
        return low_words
    return high + unit + ("零" if low and low < low_size // 10 else "") + low_words


def _yuan_in_words(whole: int) -> str:
    """Whole yuan below 10^16."""
    hundred_millions, rest = divmod(whole, 10**8)
    ten_thousands, units = divmod(rest, 10**4)
    low = _joined(_thousands_in_words(ten_thousands), "万", units, _thousands_in_words(units), 10**4)
    if not hundred_millions:
        return low
    return _joined(_yuan_in_words(hundred_millions), "亿", rest, low, 10**8)


def in_words(fen: int) -> str:
    """The amount in formal Chinese numerals, as on a cheque: 500000 → `人民币伍仟元整`.

    Follows 《支付结算办法》 annex 1. Raises ValueError below zero or above MAX_FEN.
    """
    if not 0 <= fen <= MAX_FEN:
        raise ValueError(f"{fen} fen has no form in words here")
    whole, cents = divmod(fen, 100)
    jiao, last = divmod(cents, 10)
    words = _yuan_in_words(whole)
    words = f"{words}元" if words else ("" if cents else "零元")
    if not cents:
        return f"人民币{words}整"
    if jiao:
        words += _DIGITS[jiao] + "角"
    elif words:
        words += "零"
    return f"人民币{words}{_DIGITS[last] + '分' if last else '整'}"
