"""What customers' accounts are called, in Chinese and in English."""

from finance.ledger.models import Account
from kernel.errors import Language

_ENGLISH = {
    "储蓄卡": "Debit card",
    "电子账户": "Digital account",
    "零钱账户": "Pocket account",
    "I 类账户": "Class I account",
    "II 类账户": "Class II account",
    "III 类账户": "Class III account",
}


def english(name: str) -> str:
    """The English name of an account; one that the bank's core made up keeps the name that it has."""
    return _ENGLISH.get(name, name)


def name_in(language: Language, name: str) -> str:
    """The account's name for a reader of this language."""
    return english(name) if language == "en" else name


def with_tail(account: Account) -> tuple[str, str]:
    """`储蓄卡 尾号 8823` and `Debit card ending 8823`."""
    return f"{account.name} 尾号 {account.tail}", f"{english(account.name)} ending {account.tail}"
