"""The shapes on the socket. JSON Schema, AsyncAPI and the front end's types are generated from them.

A socket message holds one or more frames, one a line. An undeclared field is a bug: frames from clients that carry
one are refused.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import msgspec

PROTOCOL_VERSION = 1
MAX_FRAME_BYTES = 64 * 1024
MAX_TEXT = 4_000

Version = Annotated[int, msgspec.Meta(ge=1, le=1_000)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
MessageKind = Literal["text", "picture", "card", "notice"]


class PictureRef(msgspec.Struct, frozen=True):
    """A picture in a message; its bytes are fetched by whoever may see the message."""

    id: UUID
    width: int
    height: int


class CardView(msgspec.Struct, frozen=True):
    """What a card shows to everyone. What only one viewer may see is fetched by that viewer."""

    kind: str
    ref: UUID
    state: str
    payload: dict[str, Any]
    revision: int
    summary: dict[str, str]
    """Its line in a list of conversations, by language (zh, en)."""


class Notice(msgspec.Struct, frozen=True):
    """A line of the house: a code for clients that know it; the message's text is for those that do not."""

    code: str
    params: dict[str, str | int]


class MessageEnvelope(msgspec.Struct, frozen=True):
    """One message as it is now."""

    id: UUID
    conversation_id: UUID
    seq: int
    version: int
    client_id: UUID
    sender_id: UUID | None
    kind: MessageKind
    text: str
    picture: PictureRef | None
    card: CardView | None
    notice: Notice | None
    warning: str | None
    at: datetime
    recalled: bool


class ClientFrame(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", frozen=True, kw_only=True):
    """Anything a client says. `v` is the version of the protocol that it speaks."""

    v: Version = PROTOCOL_VERSION


class Send(ClientFrame, tag="send", frozen=True):
    """A text. The client makes `client_id` and keeps it: the same id again gives the same message."""

    conversation_id: UUID
    client_id: UUID
    text: str


class Typing(ClientFrame, tag="typing", frozen=True):
    """The person is writing in this conversation."""

    conversation_id: UUID


class Read(ClientFrame, tag="read", frozen=True):
    """The person has seen everything up to this `seq`."""

    conversation_id: UUID
    seq: Number


class Ping(ClientFrame, tag="ping", frozen=True):
    """Are you there? Answered by `pong`."""

    n: Number = 0


class Probed(ClientFrame, tag="probed", frozen=True):
    """The answer to `probe`: everything before it has arrived."""

    n: Number


class ServerFrame(msgspec.Struct, tag_field="type", frozen=True, kw_only=True):
    """Anything the server says. Clients ignore types and fields that they do not know."""


class Ready(ServerFrame, tag="ready", frozen=True):
    """The socket is open; what is missing is asked for by sync."""

    v: int
    connection_id: UUID
    person_id: UUID
    now: datetime
    max_frame_bytes: int
    max_text: int


class Ack(ServerFrame, tag="ack", frozen=True):
    """A sent message is committed. `again`: it was already."""

    client_id: UUID
    conversation_id: UUID
    id: UUID
    seq: int
    version: int
    at: datetime
    again: bool
    warning: str | None


class Failure(ServerFrame, tag="error", frozen=True):
    """A frame was refused and changed nothing. `client_id` names the message that it was about, where it can be read.

    `retry`: the same again, after a moment, may be taken."""

    code: str
    message: str
    params: dict[str, str | int | bool]
    client_id: UUID | None = None
    conversation_id: UUID | None = None
    retry: bool = False


class Pushed(ServerFrame, tag="message", frozen=True):
    """A new message or a new version of one. A gap in `version` is closed by sync."""

    message: MessageEnvelope


class ReadMark(ServerFrame, tag="read", frozen=True):
    """How far the person themselves has read, on another device; what is still unread (99 and more: 100)."""

    conversation_id: UUID
    seq: int
    unread: int


class IsTyping(ServerFrame, tag="typing", frozen=True):
    """Somebody is writing. It holds for a few seconds."""

    conversation_id: UUID
    person_id: UUID


class ConversationChanged(ServerFrame, tag="conversation", frozen=True):
    """A conversation is new, or has other members or marks: ask for it again. `gone`: it is no longer theirs."""

    conversation_id: UUID
    gone: bool = False


class Behind(ServerFrame, tag="behind", frozen=True):
    """Something may have been told that did not arrive: ask by sync."""


class Hint(ServerFrame, tag="hint", frozen=True):
    """Something outside chat that the person looks at has changed."""

    topic: str
    data: dict[str, Any]


class Pong(ServerFrame, tag="pong", frozen=True):
    """The answer to `ping`."""

    n: int


class Probe(ServerFrame, tag="probe", frozen=True):
    """A random number; the client answers `probed` with it, or is taken for one that does not read."""

    n: int


CLIENT_FRAMES: tuple[type[ClientFrame], ...] = (Send, Typing, Read, Ping, Probed)
SERVER_FRAMES: tuple[type[ServerFrame], ...] = (
    Ready,
    Ack,
    Failure,
    Pushed,
    ReadMark,
    IsTyping,
    ConversationChanged,
    Behind,
    Hint,
    Pong,
    Probe,
)
AnyClientFrame = Send | Typing | Read | Ping | Probed

_decoder: msgspec.json.Decoder[AnyClientFrame] = msgspec.json.Decoder(AnyClientFrame)
_encoder = msgspec.json.Encoder()


class _Envelope(msgspec.Struct):
    type: str
    v: int = PROTOCOL_VERSION
    client_id: Any = None


class Misread(NamedTuple):
    """What can be said of a line that did not decode."""

    unknown: bool
    """It is a frame of a type or version that this server does not know."""
    client_id: UUID | None
    """The message that it was about: who sent it must not wait for its acknowledgement, nor send it again."""


_tags = frozenset(str(frame.__struct_config__.tag) for frame in CLIENT_FRAMES)
_loose = msgspec.json.Decoder(_Envelope)


def decode(line: str | bytes) -> AnyClientFrame:
    """One frame from a client. Raises msgspec.DecodeError on what is none (see misread)."""
    return _decoder.decode(line)


def misread(line: str | bytes) -> Misread:
    """Looks once more, and less closely, at a line that did not decode."""
    try:
        found = _loose.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Misread(False, None)
    try:
        client_id = msgspec.convert(found.client_id, UUID)
    except msgspec.ValidationError:
        client_id = None
    return Misread(found.type not in _tags or not 1 <= found.v <= PROTOCOL_VERSION, client_id)


def encode(frame: ServerFrame) -> str:
    """One frame as the text that goes to any number of receivers."""
    return _encoder.encode(frame).decode()


def plain(value: Any) -> Any:
    """A struct as what JSON renderers take."""
    return msgspec.to_builtins(value)
