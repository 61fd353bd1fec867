"""Run in the product's environment: pairs of people with open sessions and a conversation each.

python -m benchmarks.people PAIRS prints a JSON list: two entries for each pair, each with cookie and conversation.
"""

import json
import sys
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.sessions.middleware import SessionMiddleware  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import RequestFactory  # noqa: E402

from accounts.actions.registration import create_person  # noqa: E402
from accounts.actions.sessions import DeviceClaim, open_session  # noqa: E402
from chat.actions import open_conversation  # noqa: E402
from kernel.ids import new_id  # noqa: E402


def cookie_of(person: Any) -> str:
    """A session as signing in makes it; the slow hash of a password is not what is measured here."""
    request = RequestFactory().post("/api/session")
    SessionMiddleware(lambda _: HttpResponse()).process_request(request)
    open_session(request, person, DeviceClaim(new_id(), "bench"))
    request.session.save()
    return f"{settings.SESSION_COOKIE_NAME}={request.session.session_key}"


def main() -> None:
    made = []
    for pair in range(int(sys.argv[1])):
        people = [
            create_person(
                kind="customer", phone=f"137{pair * 2 + side:08d}", display_name=f"客户{pair}{side}", password=None
            )
            for side in (0, 1)
        ]
        conversation = open_conversation(
            kind="direct", member_ids=[person.pk for person in people], opened_by=people[0].pk
        )
        made += [{"cookie": cookie_of(person), "conversation": str(conversation)} for person in people]
    print(json.dumps(made))


main()
