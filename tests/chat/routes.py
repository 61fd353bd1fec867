"""Who may come through the doors of chat."""

from uuid import uuid4

from tests.architecture.router import PERSON, Route

_TALK = (
    "SELECT conversation_id FROM chat_member WHERE person_id IN (%(su)s, %(shen)s)"
    " GROUP BY conversation_id HAVING count(*) = 2 LIMIT 1"
)
_THEIR_TALK = {"conversation_id": _TALK}
_THEIR_MESSAGE = {"message_id": f"SELECT id FROM chat_message WHERE conversation_id = ({_TALK}) AND kind = 'text'"}
_THEIR_PICTURE = {
    "picture_id": "SELECT m.picture_id FROM chat_message m WHERE m.picture_id IS NOT NULL AND m.conversation_id IN"
    " (SELECT conversation_id FROM chat_member WHERE person_id = %(su)s) AND m.conversation_id NOT IN"
    " (SELECT conversation_id FROM chat_member WHERE person_id IN (%(bai)s, %(jiang)s, %(tao)s))"
}

ROUTES = {
    "GET chat/conversations": Route(PERSON),
    "POST chat/conversations": Route(PERSON),
    "POST chat/groups": Route(PERSON),
    "GET chat/conversations/<uuid:conversation_id>": Route(PERSON, theirs=_THEIR_TALK),
    "PATCH chat/conversations/<uuid:conversation_id>": Route(PERSON, theirs=_THEIR_TALK, body={"muted": True}),
    "GET chat/conversations/<uuid:conversation_id>/messages": Route(PERSON, theirs=_THEIR_TALK),
    "POST chat/conversations/<uuid:conversation_id>/messages": Route(
        PERSON, theirs=_THEIR_TALK, body={"client_id": str(uuid4()), "text": "hello"}
    ),
    "POST chat/conversations/<uuid:conversation_id>/pictures": Route(PERSON, theirs=_THEIR_TALK),
    "POST chat/conversations/<uuid:conversation_id>/read": Route(PERSON, theirs=_THEIR_TALK, body={"seq": 1}),
    "POST chat/messages/<uuid:message_id>/recall": Route(PERSON, theirs=_THEIR_MESSAGE, body={"x": 1}),
    "POST chat/messages/<uuid:message_id>/forward": Route(PERSON, theirs=_THEIR_MESSAGE),
    "GET chat/pictures/<uuid:picture_id>": Route(PERSON, theirs=_THEIR_PICTURE),
    "POST chat/push/subscriptions": Route(PERSON),
    "DELETE chat/push/subscriptions": Route(PERSON),
    "GET chat/push/settings": Route(PERSON),
    "PUT chat/push/settings": Route(PERSON, body={"hide_content": True, "quiet_from": None, "quiet_to": None}),
    "POST chat/sync": Route(PERSON),
}
