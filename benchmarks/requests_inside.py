"""Run in the product's environment: one person with 500 conversations and 100,000 messages, and long conversations.

python -m benchmarks.requests_inside fill LENGTH...   makes them and prints who and where
python -m benchmarks.requests_inside measure ROUNDS   reads that, and prints what each request took
"""

import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django

django.setup()

from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.people import cookie_of, person
from chat.actions import open_conversation
from kernel.memory import settle

CONVERSATIONS = 500
MESSAGES_EACH = 200
UNREAD = 50
"""Conversations of which nothing was read: a hundred unread messages in each are counted."""
PEERS = 100
REPEATS = 30
CHANGED = 20
FAR = 500
"""Messages of somebody else's that each conversation goes on by, while a device is away for long."""
TEXT = "周末去看房吗?我问了一下,首付大概还差一点,理财到期正好能用上。"


def fill(conversation: UUID, people: tuple[UUID, UUID], count: int, *, read: bool) -> None:
    """Messages as chat_append would have left them, taking turns; `read`: the first has seen them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO chat_message
                (id, conversation_id, seq, version, client_id, sender_id, kind, text, warning, at)
            SELECT gen_random_uuid(), %(c)s, n, n, gen_random_uuid(),
                CASE n %% 2 WHEN 0 THEN %(a)s ELSE %(b)s END::uuid, 'text',
                %(text)s, '', now() - (%(count)s - n) * interval '1 second'
            FROM generate_series(1, %(count)s) n""",
            {"c": conversation, "a": people[0], "b": people[1], "text": TEXT, "count": count},
        )
        cursor.execute(
            "UPDATE chat_conversation SET seq = %s, version = %s, active_at = now() WHERE id = %s",
            [count, count, conversation],
        )
        if read:
            cursor.execute(
                "UPDATE chat_member SET read_seq = %s WHERE conversation_id = %s AND person_id = %s",
                [count, conversation, people[0]],
            )


_GOES_ON = """
WITH gone_on AS (
    UPDATE chat_conversation SET seq = seq + %(count)s, version = version + %(count)s, active_at = clock_timestamp()
    WHERE id = ANY(%(of)s::uuid[]) RETURNING id, seq - %(count)s AS seq, version - %(count)s AS version
)
INSERT INTO chat_message (id, conversation_id, seq, version, client_id, sender_id, kind, text, warning, at)
SELECT gen_random_uuid(), c.id, c.seq + n, c.version + n, gen_random_uuid(),
    (SELECT sender_id FROM chat_message o WHERE o.conversation_id = c.id AND o.seq = 1), 'text', %(text)s, '', now()
FROM gone_on c CROSS JOIN generate_series(1, %(count)s) n
"""


def timed(what: str, name: str, ask: Callable[[], Any], repeats: int) -> dict[str, Any]:
    ask()
    with CaptureQueriesContext(connection) as captured:
        answer = ask()
        statements = len(captured)
    assert answer.status_code == 200, answer.content[:300]
    took = []
    for _ in range(repeats):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return {
        "what": what,
        "name": name,
        "p50_ms": took[len(took) // 2],
        "p99_ms": took[int(len(took) * 0.99)],
        "statements": statements,
        "kib": len(answer.content) // 1024,
    }


def opening(client: Client, rounds: int) -> list[dict[str, Any]]:
    def sync(have: dict[str, int]) -> Callable[[], Any]:
        body = json.dumps({"have": have, "after": None})
        return lambda: client.post("/api/chat/sync", body, content_type="application/json")

    everything = {
        item["id"]: item["version"] for item in client.get("/api/chat/conversations?limit=500").json()["items"]
    }
    behind = {id_: version - 20 * (index < CHANGED) for index, (id_, version) in enumerate(everything.items())}
    repeats = REPEATS * rounds
    return [
        timed(f"sync, a new device, {CONVERSATIONS} conversations", "sync_fresh", sync({}), repeats),
        timed("sync, nothing new", "sync_same", sync(everything), repeats),
        timed(f"sync, {CHANGED} conversations with 20 changes each", "sync_behind", sync(behind), repeats),
    ]


def back(client: Client, conversations: list[str], rounds: int) -> dict[str, Any]:
    """A device that was away while every conversation went on; one answer brings it to the present."""
    have = {item["id"]: item["version"] for item in client.get("/api/chat/conversations?limit=500").json()["items"]}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_GOES_ON, {"count": FAR, "text": TEXT, "of": conversations})
    settle()
    body = json.dumps({"have": have, "after": None})

    def ask() -> Any:
        return client.post("/api/chat/sync", body, content_type="application/json")

    answer = ask().json()
    assert not answer["more"] and len(answer["conversations"]) == len(answer["changes"]) == len(conversations)
    return timed(
        f"sync, {CONVERSATIONS} conversations, all {FAR} changes behind", "sync_all_behind", ask, REPEATS * rounds
    )


def scrolling(client: Client, conversation: UUID, length: int, rounds: int) -> dict[str, Any]:
    chance = random.Random(length)

    def ask() -> Any:
        before = chance.randint(60, length)
        return client.get(f"/api/chat/conversations/{conversation}/messages?before={before}&limit=50")

    return timed(f"a page of 50 anywhere in {length:,} messages", f"page_{length}", ask, REPEATS * rounds)


def filled(lengths: list[int]) -> dict[str, Any]:
    with transaction.atomic():
        me, reader, writer = (person("135", number) for number in range(3))
        peers = [person("134", number) for number in range(PEERS)]
        mine = []
        for number in range(CONVERSATIONS):
            peer = peers[number % PEERS]
            made = open_conversation(kind="direct", member_ids=[me.pk, peer.pk], key=f"bench:{number}", opened_by=me.pk)
            fill(made, (me.pk, peer.pk), MESSAGES_EACH, read=number >= UNREAD)
            mine.append(str(made))
        long = {}
        for length in lengths:
            made = open_conversation(
                kind="direct", member_ids=[reader.pk, writer.pk], key=f"long:{length}", opened_by=reader.pk
            )
            fill(made, (reader.pk, writer.pk), length, read=True)
            long[length] = str(made)
        return {"me": cookie_of(me), "reader": cookie_of(reader), "long": long, "mine": mine}


def measured(rounds: int, made: dict[str, Any]) -> list[dict[str, Any]]:
    def client(cookie: str) -> Client:
        headers = {"origin": settings.APP_ORIGIN, "host": settings.APP_NETLOC, "cookie": cookie}
        return Client(headers=headers)

    client(made["me"]).get("/readyz")
    settle()
    found = opening(client(made["me"]), rounds)
    for length, conversation in made["long"].items():
        found.append(scrolling(client(made["reader"]), UUID(conversation), int(length), rounds))
    found.append(back(client(made["me"]), made["mine"], rounds))
    return found


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    said = (
        filled([int(number) for number in numbers])
        if what == "fill"
        else measured(int(numbers[0]), json.load(sys.stdin))
    )
    print(json.dumps(said))
