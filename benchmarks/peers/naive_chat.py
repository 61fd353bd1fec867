"""The stack as its parts come, as a peer: a Channels consumer and a group for each person, a row by the ORM.

Runs by itself under Daphne, on the product's packages and on nothing of the product's own.
"""

import os
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings

_url = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY="a peer of a benchmark",
    INSTALLED_APPS=["channels"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _url.path[1:],
            "USER": _url.username,
            "PASSWORD": _url.password,
            "HOST": _url.hostname,
            "PORT": _url.port,
            "CONN_MAX_AGE": None,
        }
    },
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [os.environ["REDIS_URL"]], "capacity": 1000},
        }
    },
)
django.setup()

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db import connection, models


class Message(models.Model):
    """One message."""

    conversation = models.TextField()
    sender = models.TextField()
    client_id = models.UUIDField()
    body = models.TextField()
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "naive"
        db_table = "message"
        constraints = [models.UniqueConstraint(fields=["sender", "client_id"], name="message_once")]


if "message" not in connection.introspection.table_names():
    with connection.schema_editor() as editor:
        editor.create_model(Message)
connection.close()


class Chat(AsyncJsonWebsocketConsumer):
    """Keeps what is said, acknowledges it, and sends it to the other's group."""

    async def connect(self) -> None:
        self.user = parse_qs(self.scope["query_string"].decode())["user"][0]
        await self.channel_layer.group_add(self.user, self.channel_name)
        await self.accept()

    async def receive_json(self, content: dict[str, Any], **_: Any) -> None:
        conversation = ":".join(sorted((self.user, content["to"])))
        await database_sync_to_async(Message.objects.create)(
            conversation=conversation, sender=self.user, client_id=content["id"], body=content["body"]
        )
        await self.send_json({"type": "ack", "id": content["id"]})
        said = {"type": "said", "id": content["id"], "from": self.user, "body": content["body"]}
        await self.channel_layer.group_send(content["to"], said)

    async def said(self, event: dict[str, Any]) -> None:
        """What another said."""
        await self.send_json(event)


application = Chat.as_asgi()
