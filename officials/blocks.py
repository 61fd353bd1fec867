"""The body of an article: headings, paragraphs and pictures. No markup comes in, so none can go out."""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from kernel.text import is_plain
from officials.errors import ArticleBroken

MAX_BLOCKS = 100
MAX_PARAGRAPH = 2_000
MAX_HEADING = 60


class Heading(msgspec.Struct, frozen=True, tag="heading", tag_field="kind", forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_HEADING)]


class Paragraph(msgspec.Struct, frozen=True, tag="paragraph", tag_field="kind", forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PARAGRAPH)]


class Illustration(msgspec.Struct, frozen=True, tag="picture", tag_field="kind", forbid_unknown_fields=True):
    picture_id: UUID


Block = Heading | Paragraph | Illustration
_Body = Annotated[list[Block], msgspec.Meta(min_length=1, max_length=MAX_BLOCKS)]


def parse(raw: Any) -> list[Block]:
    """A body from outside or from the table. Raises ArticleBroken."""
    try:
        body: list[Block] = msgspec.convert(raw, type=_Body)
    except msgspec.ValidationError as error:
        raise ArticleBroken(reason=str(error), fields={"blocks": str(error)}) from error
    for number, block in enumerate(body, 1):
        if isinstance(block, Illustration):
            continue
        if not block.text.strip() or not is_plain(block.text, multiline=isinstance(block, Paragraph)):
            raise ArticleBroken(reason=f"#{number}", fields={"blocks": f"#{number}"})
    return body


def dump(body: list[Block]) -> Any:
    """For the table and the wire."""
    return msgspec.to_builtins(body)


def picture_ids(body: list[Block]) -> list[UUID]:
    """The pictures that the body shows, in order."""
    return [block.picture_id for block in body if isinstance(block, Illustration)]
