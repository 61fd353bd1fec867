"""People with sessions and conversations, made through the product's own actions, for load on a server.

    python -m benchmarks.chat_world PAIRS FILE

writes the pairs as JSON. DATABASE_URL and DEMO name the installation, as for manage.py.
"""

import json
import os
import sys
import uuid
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rongliao.settings")
django.setup()

from accounts.actions import staff as people  # noqa: E402  (models need the settings)
from accounts.actions.sessions import DeviceClaim, open_session  # noqa: E402
from chat import actions  # noqa: E402


def make(pairs: int, kind: str = "direct") -> list[dict[str, Any]]:
    """That many conversations of two, each person with an open session; `kind` advisor has them archived."""
    engine = import_module(settings.SESSION_ENGINE)
    made = []
    base = 13_100_000_000 + uuid.uuid4().int % 80_000_000
    for index in range(pairs):
        accounts = []
        for side in range(2):
            person = people.create_person(
                kind="visitor", phone=str(base + 2 * index + side), display_name=f"负载{index}", password=None
            )
            request = HttpRequest()
            request.session = engine.SessionStore()
            open_session(request, person, DeviceClaim(client_id=uuid.uuid4(), name="load"))
            accounts.append({"person_id": str(person.pk), "cookie": request.session.session_key})
        conversation = actions.open_conversation(
            kind=kind, member_ids=[uuid.UUID(account["person_id"]) for account in accounts]
        )
        made.append({"sender": accounts[0], "receiver": accounts[1], "conversation_id": str(conversation)})
    return made


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(make(int(sys.argv[1]))))
