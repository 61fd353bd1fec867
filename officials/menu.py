"""The menu of a service account: at most three entries, each an action or a list of at most five."""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import msgspec

from kernel.text import is_name, is_plain
from officials.errors import MenuBroken
from officials.models import MAX_REPLY

MAX_ENTRIES = 3
MAX_BELOW = 5

Key = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=12)]


class Reply(msgspec.Struct, frozen=True, tag="reply", tag_field="kind", forbid_unknown_fields=True):
    """Answers with words."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REPLY)]


class Read(msgspec.Struct, frozen=True, tag="article", tag_field="kind", forbid_unknown_fields=True):
    """Answers with an article's card."""

    article_id: UUID


class View(msgspec.Struct, frozen=True, tag="view", tag_field="kind", forbid_unknown_fields=True):
    """Opens a page of this app."""

    path: Annotated[str, msgspec.Meta(pattern="^/[a-z0-9/_?=&-]{0,119}$")]


Action = Reply | Read | View


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one taps."""

    key: Key
    name: Name
    action: Action


class Branch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An entry of the bar: an action of its own, or entries below it."""

    key: Key
    name: Name
    action: Action | None = None
    entries: Annotated[tuple[Leaf, ...], msgspec.Meta(max_length=MAX_BELOW)] = ()


_Menu = Annotated[list[Branch], msgspec.Meta(max_length=MAX_ENTRIES)]


def parse(raw: Any) -> list[Branch]:
    """A menu from outside or from the table. Raises MenuBroken."""
    try:
        menu: list[Branch] = msgspec.convert(raw, type=_Menu)
    except msgspec.ValidationError as error:
        raise MenuBroken(fields={"menu": str(error)}) from error
    keys = [one.key for one in menu] + [leaf.key for one in menu for leaf in one.entries]
    fits = len(set(keys)) == len(keys) and all((one.action is None) == bool(one.entries) for one in menu)
    names = [one.name for one in menu] + [leaf.name for one in menu for leaf in one.entries]
    words = [leaf.action.text for leaf in leaves(menu) if isinstance(leaf.action, Reply)]
    paths = [leaf.action.path for leaf in leaves(menu) if isinstance(leaf.action, View)]
    if (
        not fits
        or not all(is_name(name) for name in names)
        or not all(is_plain(text, multiline=True) for text in words)
        or any(path.startswith("//") for path in paths)
    ):
        raise MenuBroken
    return menu


def leaves(menu: list[Branch]) -> Iterator[Leaf]:
    """Everything that can be tapped."""
    for branch in menu:
        if branch.action is not None:
            yield Leaf(branch.key, branch.name, branch.action)
        yield from branch.entries


def dump(menu: list[Branch]) -> Any:
    """For the table, as JSON reads it back."""
    return msgspec.json.decode(msgspec.json.encode(menu))


def _leaf_shape(key: str, name: str, action: Action | None) -> dict[str, Any]:
    return {"key": key, "name": name, "path": action.path if isinstance(action, View) else None}


def shape(menu: list[Branch]) -> list[dict[str, Any]]:
    """What customers' apps get: names, and where a view leads; answers come when tapped."""
    return [
        _leaf_shape(one.key, one.name, one.action)
        | {"entries": [_leaf_shape(leaf.key, leaf.name, leaf.action) for leaf in one.entries]}
        for one in menu
    ]
