"""Proves the books."""

import time

from django.core.management.base import BaseCommand, CommandError

from finance.ledger.verify import verify


class Command(BaseCommand):
    help = "Takes every sum of the books again from the postings; exits 1 and names the first break."

    def handle(self, *args: object, **options: object) -> None:
        """Prints what was looked at."""
        began = time.monotonic()
        report = verify()
        took = time.monotonic() - began
        if report.broken is not None:
            raise CommandError(
                f"The books do not hold: {report.broken.rule}: {report.broken.subject} ({report.broken.detail})"
            )
        self.stdout.write(f"{report.entries} entries, {report.postings} postings, {took:.3f} s: the books hold")
