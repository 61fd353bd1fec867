"""Run in the product's environment: people with open sessions, and their conversations.

python -m benchmarks.people pairs PAIRS        a customer and their relationship manager each: two entries for each
                                               pair, each with cookie and conversation
python -m benchmarks.people crowd PEOPLE EACH  EACH sign-ins of so many people, with cookie
python -m benchmarks.people group MEMBERS      the members of one group, each with cookie and conversation
Prints a JSON list.
"""

import json
import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import django

django.setup()

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.crypto import get_random_string

from accounts.actions import assign_advisor, create_staff
from accounts.actions.registration import create_person
from accounts.actions.sessions import BACKEND
from accounts.auth import SESSION_ID
from accounts.models import Device, DeviceSession
from accounts.session_store import SessionStore, key_hash
from chat.actions import open_conversation, open_direct
from kernel.clock import now
from kernel.ids import new_id

Entry = dict[str, str]


KEY_CHARACTERS = 32
"""As long as the keys that Django draws for its sessions."""


def cookies_of(people: Iterable[Any], each: int = 1) -> list[str]:
    """So many sessions of each, row for row as signing in makes them; thousands are four statements."""
    sessions, devices, device_sessions, cookies = [], [], [], []
    ends = now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    for one in people:
        common = {
            SESSION_KEY: str(one.pk),
            BACKEND_SESSION_KEY: BACKEND,
            HASH_SESSION_KEY: one.get_session_auth_hash(),
        }
        for _ in range(each):
            key = get_random_string(KEY_CHARACTERS, "abcdefghijklmnopqrstuvwxyz0123456789")
            device = Device(person=one, client_id=new_id(), name="bench")
            opened = DeviceSession(person=one, device=device, key_hash=key_hash(key), epoch=one.session_epoch)
            data = SessionStore().encode(common | {SESSION_ID: str(opened.pk)})
            sessions.append(Session(session_key=key, session_data=data, expire_date=ends))
            devices.append(device)
            device_sessions.append(opened)
            cookies.append(f"{settings.SESSION_COOKIE_NAME}={key}")
    for model, rows in ((Session, sessions), (Device, devices), (DeviceSession, device_sessions)):
        model._default_manager.bulk_create(rows)  # type: ignore[arg-type]  # each with its own
    return cookies


def cookie_of(person: Any) -> str:
    """A session as signing in makes it; the slow hash of a password is not what is measured here."""
    return cookies_of([person])[0]


def person(prefix: str, number: int) -> Any:
    return create_person(
        kind="customer", phone=f"{prefix}{number:08d}", display_name=f"客户{prefix}{number}", password=None
    )


def entries(members: list[Any], conversations: list[UUID]) -> list[Entry]:
    return [
        {"cookie": cookie, "conversation": str(conversation)}
        for cookie, conversation in zip(cookies_of(members), conversations, strict=True)
    ]


def pairs(count: int) -> list[Entry]:
    """Every conversation is archived, as those with people of the bank are: as ejabberd archives every message."""
    people, conversations = [], []
    for pair in range(count):
        customer = person("137", pair)
        advisor = create_staff(name=f"经理{pair}", phone=f"138{pair:08d}", password=None, roles=["advisor"])
        assign_advisor(advisor_id=advisor.pk, customer_id=customer.pk)
        conversation = open_direct(person_id=customer.pk, other_id=advisor.pk)
        people += [customer, advisor]
        conversations += [conversation, conversation]
    return entries(people, conversations)


def crowd(count: int, each: int) -> list[Entry]:
    return [{"cookie": cookie} for cookie in cookies_of([person("130", number) for number in range(count)], each)]


def group(members: int) -> list[Entry]:
    everyone = [person("131", number) for number in range(members)]
    conversation = open_conversation(
        kind="group", member_ids=[one.pk for one in everyone], opened_by=everyone[0].pk, title="大群"
    )
    return entries(everyone, [conversation] * members)


def main() -> None:
    what, *numbers = sys.argv[1:]
    with transaction.atomic():
        made = {"pairs": pairs, "crowd": crowd, "group": group}[what](*map(int, numbers))
    print(json.dumps(made))


if __name__ == "__main__":
    main()
