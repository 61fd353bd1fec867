from datetime import UTC, datetime
from typing import Any

import pytest

from kernel import rows
from kernel.ids import new_id
from kernel.models import OutboxRow, Picture

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 12, 1, 23, 59, 59, 999999, tzinfo=UTC)
PAYLOADS: list[Any] = [
    {},
    {"b": [1, 2**60, 0.5, True, None], "a": {"名": "二\n\"'\\\x7f\u2028"}},
    ["x"],
    "text",
    0,
    False,
]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("done_at", [None, MOMENT])
def test_a_row_is_written_and_read_as_the_orm_does(payload: Any, done_at: datetime | None) -> None:
    def row(key: str) -> OutboxRow:
        return OutboxRow(topic="test", key=key, payload=payload, run_at=MOMENT, done_at=done_at, last_error="%s 二")

    rows.insert(row("ours"))
    row("theirs").save()
    ours, theirs = (dict(OutboxRow.objects.filter(key=key).values().get()) for key in ("ours", "theirs"))
    unlike = {name for name, value in ours.items() if value != theirs[name]}
    assert unlike == {"id", "key"}
    assert ours["payload"] == payload
    read = rows.first(OutboxRow, "key = %s", ["theirs"])
    assert read is not None
    assert {name: getattr(read, name) for name in theirs} == theirs


def test_a_new_row_has_the_models_defaults_and_nothing_else() -> None:
    ours, theirs = rows.new(OutboxRow, topic="test", payload={}), OutboxRow(topic="test", payload={})
    assert {name: value for name, value in vars(ours).items() if name != "_state"}.keys() == (
        vars(theirs).keys() - {"_state"}
    )
    assert (ours.attempts, ours.last_error, ours.key, ours.pk) == (theirs.attempts, "", None, None)
    assert rows.new(Picture, name="one").pk != rows.new(Picture, name="two").pk
    ours.run_at = MOMENT
    ours.save()
    assert OutboxRow.objects.get(topic="test").run_at == MOMENT
    with pytest.raises(TypeError, match="OutboxRow has no tpoic"):
        rows.new(OutboxRow, tpoic="test")


def test_bytes_are_written_and_read_as_they_are() -> None:
    rows.insert(Picture(owner_id=new_id(), name="test", width=1, height=1, size_bytes=1, sha256=bytes(range(32))))
    read = rows.first(Picture, "name = %s", ["test"])
    assert read is not None
    assert bytes(read.sha256) == bytes(Picture.objects.get(name="test").sha256) == bytes(range(32))
