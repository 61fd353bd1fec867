"""The contracts with the front end and with other programs, as schemas made from the code that keeps them.

Chat's frames are read here and used nowhere else above chat.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator

from chat import wire as chat_frames

_REF = "#/$defs/{name}"
_ASYNC_REF = "#/components/schemas/{name}"


def openapi() -> dict[str, Any]:
    """The REST API of both origins."""
    generator: Any = SchemaGenerator(urlconf="rongliao.urls_described")  # type: ignore[no-untyped-call]  # drf-spectacular has no types
    schema: dict[str, Any] = generator.get_schema(request=None, public=True)
    return schema


def frames() -> dict[str, Any]:
    """JSON Schema of every frame of the socket, by direction."""
    sent, received = list(chat_frames.CLIENT_FRAMES), list(chat_frames.SERVER_FRAMES)
    (_, *_), definitions = msgspec.json.schema_components([*sent, *received], ref_template=_REF)
    return {
        "$defs": {
            **definitions,
            "AnyClientFrame": {"oneOf": [{"$ref": _REF.format(name=frame.__name__)} for frame in sent]},
            "AnyServerFrame": {"oneOf": [{"$ref": _REF.format(name=frame.__name__)} for frame in received]},
        },
        "title": "Frames",
        "oneOf": [{"$ref": _REF.format(name="AnyClientFrame")}, {"$ref": _REF.format(name="AnyServerFrame")}],
    }


def json_schema() -> dict[str, Any]:
    """The frames as a document of its own for validators: which dialect it is in, and of which protocol version."""
    version = chat_frames.PROTOCOL_VERSION
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{settings.APP_ORIGIN}/api/frames.json?v={version}",
        "$comment": f"protocol version {version}",
        **frames(),
    }


def asyncapi() -> dict[str, Any]:
    """The socket in the form of AsyncAPI 3."""
    sent, received = list(chat_frames.CLIENT_FRAMES), list(chat_frames.SERVER_FRAMES)
    (_, *_), definitions = msgspec.json.schema_components([*sent, *received], ref_template=_ASYNC_REF)
    messages = {
        frame.__name__: {"name": frame.__name__, "payload": {"$ref": _ASYNC_REF.format(name=frame.__name__)}}
        for frame in [*sent, *received]
    }

    def references(some: Sequence[type[msgspec.Struct]]) -> list[dict[str, str]]:
        return [{"$ref": f"#/channels/socket/messages/{frame.__name__}"} for frame in some]

    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"{settings.BRAND} socket", "version": str(chat_frames.PROTOCOL_VERSION)},
        "servers": {
            "app": {
                "host": settings.APP_NETLOC,
                "protocol": "wss" if settings.SECURE_COOKIES else "ws",
                "description": "Needs the session's cookie and the app's own Origin.",
            }
        },
        "channels": {
            "socket": {
                "address": "/ws/",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "toServer": {
                "action": "receive",
                "channel": {"$ref": "#/channels/socket"},
                "messages": references(sent),
            },
            "toClient": {
                "action": "send",
                "channel": {"$ref": "#/channels/socket"},
                "messages": references(received),
            },
        },
        "components": {"messages": messages, "schemas": definitions},
    }
