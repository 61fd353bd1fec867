"""Run in the product's environment: people with open sessions, and their conversations.

python -m benchmarks.people pairs PAIRS        two entries for each pair, each with cookie and conversation
python -m benchmarks.people crowd PEOPLE EACH  EACH sign-ins of so many people, with cookie
python -m benchmarks.people group MEMBERS      the members of one group, each with cookie and conversation
Prints a JSON list.
"""

import json
import sys
from typing import Any
from uuid import UUID

import django

django.setup()

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import transaction
from django.http import HttpResponse
from django.test import RequestFactory

from accounts.actions.registration import create_person
from accounts.actions.sessions import DeviceClaim, open_session
from chat.actions import open_conversation
from kernel.ids import new_id

Entry = dict[str, str]


def cookie_of(person: Any) -> str:
    """A session as signing in makes it; the slow hash of a password is not what is measured here."""
    request = RequestFactory().post("/api/session")
    SessionMiddleware(lambda _: HttpResponse()).process_request(request)
    open_session(request, person, DeviceClaim(new_id(), "bench"))
    request.session.save()
    return f"{settings.SESSION_COOKIE_NAME}={request.session.session_key}"


def person(prefix: str, number: int) -> Any:
    return create_person(
        kind="customer", phone=f"{prefix}{number:08d}", display_name=f"客户{prefix}{number}", password=None
    )


def entry(member: Any, conversation: UUID) -> Entry:
    return {"cookie": cookie_of(member), "conversation": str(conversation)}


def pairs(count: int) -> list[Entry]:
    made = []
    for pair in range(count):
        both = [person("137", pair * 2 + side) for side in (0, 1)]
        conversation = open_conversation(kind="direct", member_ids=[one.pk for one in both], opened_by=both[0].pk)
        made += [entry(one, conversation) for one in both]
    return made


def crowd(count: int, each: int) -> list[Entry]:
    return [
        {"cookie": cookie_of(one)} for one in [person("130", number) for number in range(count)] for _ in range(each)
    ]


def group(members: int) -> list[Entry]:
    everyone = [person("131", number) for number in range(members)]
    conversation = open_conversation(
        kind="group", member_ids=[one.pk for one in everyone], opened_by=everyone[0].pk, title="大群"
    )
    return [entry(one, conversation) for one in everyone]


def main() -> None:
    what, *numbers = sys.argv[1:]
    with transaction.atomic():
        made = {"pairs": pairs, "crowd": crowd, "group": group}[what](*map(int, numbers))
    print(json.dumps(made))


if __name__ == "__main__":
    main()
