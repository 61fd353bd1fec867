"""The demo world: a dozen people with a past, made through the same actions that people use.

Each area has a module here with `fill(world)`. The areas run in this order, each in one transaction, and what they
put into the outbox is run before the next begins.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from uuid import UUID

from django.db import transaction

from kernel import jobs

AREAS = ("accounts", "chat", "ledger", "services", "wealth", "payments", "moments", "officials", "desk")
PASSWORD = "rongliao123"  # noqa: S105 - printed at every start of a demonstration
PIN = "258369"


@dataclass
class World:
    """The names that areas, tests and screenshots share. An area adds its own; later ones find them here."""

    people: dict[str, UUID] = field(default_factory=dict)
    """Short name ("su") to person."""
    accounts: dict[str, UUID] = field(default_factory=dict)
    """Short name ("su") to the ledger account that the person uses first; "su-2" for the second."""
    conversations: dict[str, UUID] = field(default_factory=dict)
    """ "su-lin" to conversation, names in alphabetical order."""
    products: dict[str, UUID] = field(default_factory=dict)
    """Product code to product."""

    def save(self, path: Path) -> None:
        """Writes the names down, for a test run whose databases are copies of this one."""
        path.write_text(json.dumps(asdict(self), default=str))

    @classmethod
    def load(cls, path: Path) -> "World":
        """Reads what `save` wrote."""
        return cls(
            **{
                kind: {name: UUID(value) for name, value in named.items()}
                for kind, named in json.loads(path.read_text()).items()
            }
        )


def fill(areas: Sequence[str] = AREAS) -> World:
    """Makes the world in an empty database, or only the areas named."""
    world = World()
    for area in areas:
        with transaction.atomic():
            import_module(f"rongliao.demo.{area}").fill(world)
        while jobs.drain():
            pass
    return world
