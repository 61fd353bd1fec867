"""The service desk's past: a visit that ended yesterday and waits for its rating."""

from datetime import timedelta

from chat.actions import Line, add_member, append_past, remove_member, send_card
from desk.actions import service_conversation, service_identity
from desk.models import ServiceCase
from kernel.clock import now
from kernel.ids import new_id
from rongliao.demo import World

_TALK = (
    ("su", "你好,境外刷卡会有短信提醒吗?"),
    ("song", "您好,会的。每一笔都会在「账户变动」里提醒,也可以另外开通短信。"),
    ("su", "明白了,谢谢!"),
    ("song", "不客气,祝您旅途愉快。"),
)


def fill(world: World) -> None:
    """One closed case of su with song; the desk's conversation exists for every customer who asked."""
    su, song = world.people["su"], world.people["song"]
    asked = now() - timedelta(days=1, hours=3)
    talk = service_conversation(su, at=asked - timedelta(seconds=5))
    world.conversations["desk-su"] = talk
    case = ServiceCase.objects.create(
        id=new_id(),
        customer_id=su,
        conversation_id=talk,
        question=_TALK[0][1],
        state="closed",
        agent_id=song,
        queued_at=asked,
        taken_at=asked + timedelta(seconds=40),
        closed_at=asked + timedelta(minutes=6),
    )
    add_member(conversation_id=talk, person_id=song, announce=False)
    append_past(
        conversation_id=talk,
        lines=[
            Line(sender_id=world.people[who], at=asked + timedelta(minutes=index), text=text)
            for index, (who, text) in enumerate(_TALK)
        ],
    )
    send_card(
        conversation_id=talk,
        sender_id=service_identity(),
        client_id=new_id(),
        kind="rating",
        ref=case.pk,
        state="open",
        payload={"agent": "客服小远", "stars": 0},
    )
    remove_member(conversation_id=talk, person_id=song, announce=False)
