"""The shapes of accounts in JSON."""

from typing import Any

from accounts.queries import BoundCard, PersonCard


def person_json(card: PersonCard) -> dict[str, Any]:
    """A person as every list and page shows them."""
    seal = card.seal
    return {
        "id": str(card.id),
        "name": card.name,
        "name_en": card.name_en,
        "remark": card.remark,
        "hue": card.hue,
        "avatar_url": card.avatar_url,
        "seal": None
        if seal is None
        else {
            "role": seal.role,
            "title": seal.title,
            "title_en": seal.title_en,
            "organisation": seal.organisation,
            "organisation_en": seal.organisation_en,
        },
        "kind": card.kind,
    }


def card_json(card: BoundCard) -> dict[str, Any]:
    """A bound card: never more of its number than the last four digits."""
    return {"id": str(card.id), "bank_name": card.bank_name, "tail": card.tail, "kind": card.kind}
