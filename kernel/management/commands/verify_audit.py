"""manage.py verify_audit: proves the audit chain, and exits 1 with the first break."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from kernel import audit


class Command(BaseCommand):
    help = "Walks the audit chain and compares it with the heads published outside the database."

    def add_arguments(self, parser: CommandParser) -> None:
        """--head FILE: the published heads (default: the server's own file)."""
        parser.add_argument("--head", type=Path, default=settings.VAR_DIR / "audit-head.jsonl")

    def handle(self, *args: Any, head: Path, **options: Any) -> None:
        """Prints the count, or the first break with exit code 1."""
        checked, found = audit.verify(head)
        if found is not None:
            self.stderr.write(f"broken at position {found.position}: {found.reason} ({checked} rows before it hold)")
            raise SystemExit(1)
        self.stdout.write(f"{checked} rows hold; heads compared with {head}")
