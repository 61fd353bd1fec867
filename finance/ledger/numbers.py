"""Account numbers: nineteen digits under the bank's own BIN, with a Luhn check digit."""

import secrets

from django.conf import settings
from stdnum import luhn

LENGTH = 19


def new_number() -> str:
    """A random number under settings.BANK_BIN."""
    free = LENGTH - len(settings.BANK_BIN) - 1
    body = settings.BANK_BIN + "".join(secrets.choice("0123456789") for _ in range(free))
    return body + str(luhn.calc_check_digit(body))


def is_ours(number: str) -> bool:
    """Whether the number is well formed and under our BIN."""
    return (
        len(number) == LENGTH
        and number.isascii()
        and number.isdigit()
        and number.startswith(settings.BANK_BIN)
        and luhn.is_valid(number)
    )
