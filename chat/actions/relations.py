"""What becomes of conversations when people's relations change. Called in the transaction of that change."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts import queries as people
from chat import log, notices, push
from chat.actions.conversations import tell_changed
from chat.delivery import relay
from chat.delivery.hub import Parcel
from chat.errors import NoAdvisor, NoLongerFriends
from chat.models import Conversation, Member, members_key
from chat.wire import Notice, Pushed, encode
from kernel.ids import new_id

ADVISOR = Conversation.Kind.ADVISOR
PEOPLE_HINT = "people"
MAX_HEARERS = 2_000
"""Who hears at once that somebody looks otherwise. The others, of a service account say, see it when they next ask."""


def follow_person(person_id: UUID, viewers: Sequence[UUID] | None) -> None:
    """Hints to the viewers, or to those who share a conversation with the person, that the person looks otherwise."""
    if viewers is None:
        theirs = Member.objects.filter(person=person_id).values("conversation_id")
        sharing = Member.objects.filter(conversation__in=theirs).order_by().distinct()
        viewers = list(sharing.values_list("person_id", flat=True)[:MAX_HEARERS])
    push.hint(viewers, PEOPLE_HINT, {"person_id": str(person_id)})


@transaction.atomic
def follow_advisor(customer_ids: Sequence[UUID], former_id: UUID | None, successor_id: UUID | None) -> None:
    """The former relationship manager leaves the conversations with these customers; the successor takes them over.

    The customers keep what was said, and are told; without a successor they can write again when there is one.
    """
    if former_id is not None:
        _leave(customer_ids, former_id)
    if successor_id is not None:
        for customer_id in customer_ids:
            _take_over(customer_id, successor_id)


def _leave(customer_ids: Sequence[UUID], former_id: UUID) -> None:
    theirs = Member.objects.filter(conversation__kind=ADVISOR, person=former_id).values("conversation_id")
    talks = dict(
        Member.objects.filter(conversation__in=theirs, person__in=customer_ids).values_list(
            "conversation_id", "person_id"
        )
    )
    if not talks:
        return
    _hold(talks)
    Member.objects.filter(conversation__in=talks, person=former_id).delete()
    Member.objects.filter(conversation__in=talks).update(barred=NoAdvisor.code)
    Conversation.objects.filter(pk__in=talks).update(member_version=F("member_version") + 1)
    _announce({talk: [customer] for talk, customer in talks.items()}, Notice("left", {"name": _name(former_id)}))
    for talk, customer_id in talks.items():
        tell_changed(talk, [former_id], gone=True)
        tell_changed(talk, [customer_id])


def _take_over(customer_id: UUID, successor_id: UUID) -> None:
    """The successor joins the customer's conversation, and sees what was said there: it is the bank's with them."""
    key = members_key(ADVISOR, [customer_id, successor_id])
    known = Conversation.objects.filter(key=key).first()
    if known is None:
        mine = Conversation.objects.filter(kind=ADVISOR, members__person=customer_id)
        known = mine.order_by("-active_at").first()
    if known is None:
        return
    _hold([known.pk])
    Conversation.objects.filter(pk=known.pk).update(key=key, member_version=F("member_version") + 1)
    Member.objects.bulk_create(
        [Member(conversation=known, person_id=successor_id, read_seq=known.seq)], ignore_conflicts=True
    )
    Member.objects.filter(conversation=known).update(barred="")
    pair = [customer_id, successor_id]
    _announce({known.pk: pair}, Notice("advisor_changed", {"name": _name(successor_id)}))
    tell_changed(known.pk, pair)


@transaction.atomic
def follow_friendship(first_id: UUID, second_id: UUID, friends: bool) -> None:
    """Friends may write in their conversation; those who are friends no longer may read it."""
    key = members_key(Conversation.Kind.DIRECT, [first_id, second_id])
    talk = Conversation.objects.select_for_update(no_key=True).filter(key=key).first()
    if talk is None:
        return
    Member.objects.filter(conversation=talk).update(barred="" if friends else NoLongerFriends.code)
    tell_changed(talk.pk, [first_id, second_id])


def _hold(conversation_ids: Iterable[UUID]) -> None:
    """What is being written there is written before, or meets the change (chat_append takes the same locks)."""
    held = Conversation.objects.select_for_update(no_key=True).filter(pk__in=list(conversation_ids))
    list(held.order_by("pk").values_list("pk"))


def _name(person_id: UUID) -> str:
    return people.person_cards([person_id], viewer_id=None)[person_id].name


def _announce(readers: dict[UUID, list[UUID]], notice: Notice) -> None:
    """One line of the house in each conversation, in one statement."""
    text = notices.text_of(notice)
    drafts = [
        log.Draft(o=index, id=new_id(), c=talk, s=None, k=new_id(), kind="notice", body=text, n=notice)
        for index, talk in enumerate(readers)
    ]
    written = log.append(drafts, trusted=True)
    found = log.envelopes(item.id for item in written if item.id)
    relay.publish_on_commit(
        [Parcel(readers[message.conversation_id], encode(Pushed(message=message))) for message in found.values()]
    )
