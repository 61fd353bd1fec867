"""A service account itself: its making, its followers, its menu."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from chat import push
from kernel import audit
from kernel.clock import now
from kernel.errors import KeyReused, NotFound
from officials import access, cards, menu
from officials.actions.delivery import conversation_with, deliver_card, deliver_text, greet
from officials.errors import AlwaysOn, RepliesMoved
from officials.models import MAX_REPLY, Article, Follow, Keyword, MenuTap, Official

MAX_KEYWORDS = 50
HINT = "officials"


@transaction.atomic
def follow(*, person_id: UUID, code: str, quietly: bool = False) -> UUID:
    """Follows a service account, which greets a new follower; answers the conversation. Raises NotFound.

    `quietly` is for a follower who is brought along from elsewhere: no greeting.
    """
    official = access.official(code)
    made = Follow(official=official, person_id=person_id, created_at=now())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO officials_follow (id, official_id, person_id, created_at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (official_id, person_id) DO NOTHING",
            [made.pk, official.pk, person_id, made.created_at],
        )
        new = bool(cursor.rowcount)
    if not new:
        return conversation_with(code=code, person_id=person_id)
    push.hint([person_id], HINT, {"code": code})
    if quietly:
        return conversation_with(code=code, person_id=person_id)
    return greet(official, made)


@transaction.atomic
def unfollow(*, person_id: UUID, code: str) -> None:
    """Stops following; what was said stays. Raises NotFound, AlwaysOn."""
    official = access.official(code)
    if official.always_on:
        raise AlwaysOn
    if Follow.objects.filter(official=official, person_id=person_id).delete()[0]:
        push.hint([person_id], HINT, {"code": code})


@transaction.atomic
def tap(*, person_id: UUID, code: str, key: str, tap_id: UUID) -> UUID:
    """Answers a tap on the menu in the conversation, and answers its id; the same tap twice is answered once.

    Raises NotFound for an unknown code or key, KeyReused.
    """
    official = access.official(code)
    leaf = next((one for one in menu.leaves(menu.parse(official.menu)) if one.key == key), None)
    if leaf is None:
        raise NotFound
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO officials_menutap (id, official_id, person_id, key, at) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (id) DO NOTHING",
            [tap_id, official.pk, person_id, key, now()],
        )
        new = bool(cursor.rowcount)
    if not new:
        kept = MenuTap.objects.get(pk=tap_id)
        if (kept.official_id, kept.person_id, kept.key) != (official.pk, person_id, key):
            raise KeyReused
        return conversation_with(code=code, person_id=person_id)
    match leaf.action:
        case menu.Reply(text=text):
            deliver_text(code=code, person_id=person_id, text=text, key=f"tap:{tap_id}")
        case menu.Read(article_id=article_id):
            shown = access.article(article_id)
            deliver_card(
                code=code,
                person_id=person_id,
                kind=cards.KIND,
                ref=shown.pk,
                state=cards.STATE,
                payload=article_payload(shown),
                revision=shown.revision,
                key=f"tap:{tap_id}",
            )
    return conversation_with(code=code, person_id=person_id)


def article_payload(article: Article) -> dict[str, Any]:
    """What an article's card shows."""
    return {
        "title": article.title,
        "summary": article.summary,
        "cover_id": None if article.cover_id is None else str(article.cover_id),
        "official_code": article.official.code,
    }


@transaction.atomic
def save_menu(
    *,
    operator_id: UUID,
    code: str,
    revision: int,
    raw_menu: Any,
    greeting: str,
    auto_reply: str,
    keywords: Sequence[tuple[str, str]],
) -> Official:
    """Replaces the menu and the automatic answers as they were at `revision`.

    The same save again is no other one. Raises NotFound, MenuBroken, RepliesMoved if somebody else wrote meanwhile.
    """
    official = Official.objects.select_for_update().get(pk=access.official(code).pk)
    parsed = menu.parse(raw_menu)
    for leaf in menu.leaves(parsed):
        if isinstance(leaf.action, menu.Read):
            access.article(leaf.action.article_id)
    fresh = {"menu": menu.dump(parsed), "greeting": greeting[:MAX_REPLY], "auto_reply": auto_reply[:MAX_REPLY]}
    words = {word.lower(): reply for word, reply in keywords}
    if official.replies_revision != revision:
        same = all(getattr(official, name) == value for name, value in fresh.items())
        if same and words == dict(official.keywords.values_list("word", "reply")):
            return official  # the same save again, whose answer was lost
        raise RepliesMoved
    for name, value in fresh.items():
        setattr(official, name, value)
    official.replies_revision = revision + 1
    official.save(update_fields=[*fresh, "replies_revision"])
    official.keywords.all().delete()
    Keyword.objects.bulk_create(Keyword(official=official, word=word, reply=reply) for word, reply in words.items())
    audit.record(operator_id, "officials.menu", f"official:{code}", {"revision": official.replies_revision})
    return official
