"""The card with which a customer rates a service."""

import msgspec

from chat import cards


class Rating(msgspec.Struct):
    """`stars` is 0 until the customer has rated."""

    agent: str
    stars: int


def _summary(payload: Rating, state: str, language: str) -> str:
    if language == "en":
        return "[Service] Thank you for your rating" if state == "rated" else "[Service] How was it? Please rate"
    return "[服务] 感谢您的评价" if state == "rated" else "[服务] 本次服务已结束,欢迎评价"


def register() -> None:
    """Makes the kind known to chat."""
    cards.register("rating", payload=Rating, states=frozenset({"open", "rated"}), summary=_summary)
