"""Opening conversations, and who is in them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import F

from accounts import queries as people
from accounts.errors import NameNotAllowed
from accounts.names import may_call_oneself
from chat import access, log, notices, ports, wire
from chat.actions.messages import send_notice
from chat.delivery import relay
from chat.delivery.hub import Parcel
from chat.errors import GroupFull, NotFriends
from chat.models import Conversation, Member, members_key
from chat.wire import Notice
from kernel.errors import Invalid
from kernel.ids import new_id

MAX_GROUP = 500
MAX_GROUP_WITHOUT_CONSENT = 40
_NOTICES = UUID("0198b2f4-0000-7000-8000-6e6f74696365")


def tell_changed(conversation_id: UUID, person_ids: Iterable[UUID], *, gone: bool = False) -> None:
    """After commit: these people ask for the conversation again, or (`gone`) let go of it."""
    frame = wire.encode(wire.ConversationChanged(conversation_id=conversation_id, gone=gone))
    relay.publish_on_commit([Parcel(tuple(person_ids), frame)])


def open_conversation(
    *,
    kind: str,
    member_ids: Sequence[UUID],
    key: str | None = None,
    title: str | None = None,
    opened_by: UUID | None = None,
    at: datetime | None = None,
) -> UUID:
    """Opens a conversation, or finds the one with this key; answers its id.

    Without a key, all kinds but groups are found by their members. Where the archive policy says so, the notice
    that the bank keeps what is said is its first message. `at` is for a past that is brought along. Raises Invalid
    for a kind or members that do not exist.
    """
    members = list(dict.fromkeys(member_ids))
    if kind not in Conversation.Kind.values:
        raise Invalid(fields={"kind": "direct | group | advisor | service | official"})
    if key is None and kind != Conversation.Kind.GROUP:
        key = members_key(kind, members)
    if key is not None:
        known = Conversation.objects.filter(key=key).values_list("pk", flat=True).first()
        if known is not None:
            return known
    cards = people.person_cards(members, viewer_id=None)
    if len(members) < 2 or len(cards) != len(members):
        raise Invalid(fields={"member_ids": "2.."})
    archived = ports.is_archived(kind, [card.kind for card in cards.values()])
    with transaction.atomic():
        fresh = Conversation(
            id=new_id(), kind=kind, key=key, title=title or "", archived=archived, opened_by_id=opened_by
        )
        Conversation.objects.bulk_create([fresh], ignore_conflicts=key is not None)
        if key is not None:
            winner = Conversation.objects.values_list("pk", flat=True).get(key=key)
            if winner != fresh.pk:
                return winner
        Member.objects.bulk_create(Member(conversation=fresh, person_id=person) for person in members)
        if archived:
            _post_archive_notice(fresh.pk, at)
        tell_changed(fresh.pk, members)
    return fresh.pk


def _post_archive_notice(conversation_id: UUID, at: datetime | None = None) -> None:
    version = notices.ARCHIVE_VERSION
    posted = send_notice(
        conversation_id=conversation_id,
        client_id=uuid5(_NOTICES, f"archive:{version}"),
        notice=notices.archive_notice(),
        at=at,
    )
    Conversation.objects.filter(pk=conversation_id).update(archived=True, notice_version=version, notice_seq=posted.seq)


def open_group(*, opened_by: UUID, title: str, member_ids: Sequence[UUID], client_id: UUID) -> UUID:
    """Opens a group with friends of the one who opens it; the same client id again gives the same group.

    Raises NameNotAllowed for a title that may look like the bank's, NotFriends where somebody is none, GroupFull above
    40 (more need the consent of each).
    """
    if not may_call_oneself(title):
        raise NameNotAllowed(fields={"title": ""})
    others = [person for person in dict.fromkeys(member_ids) if person != opened_by]
    if len(others) + 1 > MAX_GROUP_WITHOUT_CONSENT:
        raise GroupFull(limit=MAX_GROUP_WITHOUT_CONSENT)
    if not others or not set(others) <= set(people.friend_ids(opened_by)):
        raise NotFriends
    with transaction.atomic():
        group = open_conversation(
            kind=Conversation.Kind.GROUP,
            member_ids=[opened_by, *others],
            key=f"group:{opened_by}:{client_id}",
            title=title,
            opened_by=opened_by,
        )
        name = people.person_cards([opened_by], viewer_id=None)[opened_by].name
        send_notice(
            conversation_id=group,
            client_id=uuid5(_NOTICES, "opened"),
            notice=Notice("group_opened", {"name": name}),
        )
    return group


def open_direct(*, person_id: UUID, other_id: UUID) -> UUID:
    """The conversation of two friends, or of a customer and their relationship manager.

    Raises NotFriends for anybody else; NotFriends, too, for somebody who does not exist.
    """
    if other_id in (people.advisor_of(person_id), *people.customers_of(person_id)):
        return open_conversation(kind=Conversation.Kind.ADVISOR, member_ids=[person_id, other_id], opened_by=person_id)
    with transaction.atomic():
        # Held until it is open, so that a friend who is removed meanwhile finds a conversation to bar.
        if not people.are_friends(person_id, other_id, hold=True):
            raise NotFriends
        return open_conversation(kind=Conversation.Kind.DIRECT, member_ids=[person_id, other_id], opened_by=person_id)


def add_member(*, conversation_id: UUID, person_id: UUID, sees_past: bool = True, announce: bool = True) -> None:
    """Brings a person in (an agent who takes over, a friend of a group); harmless twice. Raises GroupFull.

    With `sees_past` False, they see only what is said from now on.
    """
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update(no_key=True).get(pk=conversation_id)
        if Member.objects.filter(conversation=conversation, person=person_id).exists():
            return
        if Member.objects.filter(conversation=conversation).count() >= MAX_GROUP:
            raise GroupFull(limit=MAX_GROUP)
        card = people.person_cards([person_id], viewer_id=None)[person_id]
        Member.objects.create(
            conversation=conversation,
            person_id=person_id,
            joined_at_seq=0 if sees_past else conversation.seq,
            read_seq=conversation.seq,
        )
        Conversation.objects.filter(pk=conversation_id).update(member_version=F("member_version") + 1)
        if not conversation.archived and ports.is_archived(conversation.kind, [card.kind]):
            _post_archive_notice(conversation_id)
        if announce:
            send_notice(
                conversation_id=conversation_id, client_id=new_id(), notice=Notice("joined", {"name": card.name})
            )
        tell_changed(conversation_id, log.members_of([conversation_id])[conversation_id])


def remove_member(*, conversation_id: UUID, person_id: UUID, announce: bool = True) -> None:
    """Takes a person out: they see and hear nothing of it any more. Harmless twice."""
    with transaction.atomic():
        Conversation.objects.select_for_update(no_key=True).get(pk=conversation_id)
        removed, _ = Member.objects.filter(conversation=conversation_id, person=person_id).delete()
        if not removed:
            return
        Conversation.objects.filter(pk=conversation_id).update(member_version=F("member_version") + 1)
        card = people.person_cards([person_id], viewer_id=None)[person_id]
        if announce:
            send_notice(conversation_id=conversation_id, client_id=new_id(), notice=Notice("left", {"name": card.name}))
        tell_changed(conversation_id, [person_id], gone=True)
        tell_changed(conversation_id, log.members_of([conversation_id]).get(conversation_id, []))


def set_marks(
    *,
    conversation_id: UUID,
    person_id: UUID,
    muted: bool | None = None,
    pinned: bool | None = None,
    hidden: bool | None = None,
) -> None:
    """What a person notes about a conversation for themselves; None leaves a mark as it is. Raises NotFound."""
    member = access.member_for(person_id, conversation_id)
    noted: dict[str, bool | int | None] = {}
    if muted is not None:
        noted["muted"] = muted
    if pinned is not None:
        noted["pinned"] = pinned
    if hidden is not None:
        noted["hidden_at_seq"] = member.conversation.seq if hidden else None
    # Those alone: another device may be noting another mark in this moment.
    Member.objects.filter(pk=member.pk).update(**noted)
    tell_changed(conversation_id, [person_id])
