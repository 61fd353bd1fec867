"""Account numbers: nineteen digits under the bank's own BIN, with a Luhn check digit."""

import secrets

from django.conf import settings
from stdnum import luhn

LENGTH = 19


def _random_digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


def new_number() -> str:
    """A random number under settings.BANK_BIN."""
    body = settings.BANK_BIN + _random_digits(LENGTH - len(settings.BANK_BIN) - 1)
    return body + str(luhn.calc_check_digit(body))


def number_with_tail(tail: str) -> str:
    """The number that ends in these digits, the same each time: for a demonstration whose cards are known by them."""
    free = LENGTH - len(settings.BANK_BIN) - len(tail)
    numbers = (f"{settings.BANK_BIN}{body:0{free}d}{tail}" for body in range(10))
    return next(number for number in numbers if luhn.is_valid(number))


def is_ours(number: str) -> bool:
    """Whether the number is well formed and under our BIN."""
    return (
        len(number) == LENGTH
        and number.isascii()
        and number.isdigit()
        and number.startswith(settings.BANK_BIN)
        and luhn.is_valid(number)
    )
