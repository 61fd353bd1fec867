"""Every text that comes in through a REST door or a frame is kernel.fields.PlainText, or says here why it is not."""

import re
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest
from django.core.validators import RegexValidator
from drf_spectacular.generators import SchemaGenerator
from rest_framework import serializers
from rest_framework.fields import _UnvalidatedField

from chat import wire
from kernel.fields import IdField, PlainText, WholeField

_MENU = "officials.menu.parse judges every name and word"
_ARTICLE = "officials.blocks.parse judges every block"
REASONS = {
    "send_text.text": "chat.screens judges what is said, and names the reason",
    "api_officials_operations_replies_update.menu[][]": _MENU,
    "api_officials_operations_articles_update.blocks[][]": _ARTICLE,
}
"""Texts that are judged elsewhere, by operation and path."""

FRAMES = {("Send", "text"): "chat.screens judges what is said, and names the reason"}


def _fields(field: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The fields below this one that take a value."""
    if isinstance(field, serializers.ListSerializer):
        yield from _fields(field.child, path)
    elif isinstance(field, serializers.BaseSerializer):
        for name, below in getattr(field, "fields", {}).items():
            if not below.read_only:
                yield from _fields(below, f"{path}.{name}")
    elif isinstance(field, serializers.ListField | serializers.DictField):
        yield from _fields(field.child, f"{path}[]")
    else:
        yield path, field


def _texts(field: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Those that take any text."""
    for where, one in _fields(field, path):
        if isinstance(one, serializers.CharField | serializers.JSONField | _UnvalidatedField):
            yield where, one


def _is_of_one_form(field: Any) -> bool:
    """Whether a pattern names every character that may stand there, and each is ASCII."""
    forms = [one.regex.pattern for one in field.validators if isinstance(one, RegexValidator)]
    return any(form.isascii() and not re.search(r"\\[wWdDsS]|\.|\[\^", form) for form in forms)


def _asked() -> dict[str, Any]:
    """What each operation of both origins takes, by operation."""
    generator: Any = SchemaGenerator(urlconf="rongliao.urls_described")
    generator._initialise_endpoints()
    found = {}
    for path, pattern, method, view in generator._get_paths_and_endpoints():
        schema = view.schema
        schema.path, schema.path_regex, schema.path_prefix, schema.method = path, pattern, "", method
        asked = schema.get_request_serializer()
        for one in asked.values() if isinstance(asked, dict) else [asked]:
            if one is not None:
                found[schema.get_operation_id()] = one() if isinstance(one, type) else one
    return found


ASKED = _asked()


def test_the_walk_finds_what_doors_take() -> None:
    texts = {path for operation, shape in ASKED.items() for path, _ in _texts(shape, operation)}
    assert {"finance_transfer_prepare.memo", "set_remark.remark", "send_text.text", "bank_pin_set.pin"} <= texts


@pytest.mark.parametrize("operation", sorted(ASKED))
def test_every_text_is_plain(operation: str) -> None:
    for path, field in _texts(ASKED[operation], operation):
        judged = isinstance(field, PlainText) or _is_of_one_form(field) or path in REASONS
        assert judged, f"{path} is a {type(field).__name__}"


@pytest.mark.parametrize("operation", sorted(ASKED))
def test_every_id_and_number_is_taken_as_what_it_is(operation: str) -> None:
    """DRF's own fields take a number for an id and a text for a number: `true` became an id, and an error 500."""
    for path, field in _fields(ASKED[operation], operation):
        if isinstance(field, serializers.UUIDField):
            assert isinstance(field, IdField), path
        if isinstance(field, serializers.IntegerField):
            assert isinstance(field, WholeField), path


def test_no_reason_outlives_its_field() -> None:
    loose = {path for operation, shape in ASKED.items() for path, field in _texts(shape, operation)}
    assert REASONS.keys() <= loose


def test_every_text_of_a_frame_is_judged() -> None:
    for frame in wire.CLIENT_FRAMES:
        for name, hint in get_type_hints(frame).items():
            assert str not in (hint, *getattr(hint, "__args__", ())) or (frame.__name__, name) in FRAMES
