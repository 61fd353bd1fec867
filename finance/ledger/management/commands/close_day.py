"""Closes yesterday, and the days before it that are not closed."""

from django.core.management.base import BaseCommand, CommandError

from finance.ledger.closing import close_days
from finance.ledger.models import DayClose
from kernel.money import yuan


class Command(BaseCommand):
    help = "Closes the days that are over, and prints the newest trial balance; exits 1 if it does not balance."

    def handle(self, *args: object, **options: object) -> None:
        """Prints a line for each group of accounts: opening, debit, credit, closing."""
        close_days()
        close = DayClose.objects.order_by("-day").first()
        if close is None:
            raise CommandError("Nothing is closed: postings were at work all the time. Try again.")
        self.stdout.write(f"{close.day}: of postings {close.since + 1} to {close.upto}, late {close.late}")
        for line in close.lines.order_by("group"):
            amounts = (line.opening_fen, line.debit_fen, line.credit_fen, line.closing_fen)
            self.stdout.write("  ".join([f"{line.group:<20}", *(f"{yuan(fen):>20}" for fen in amounts)]))
        if not close.balances:
            raise CommandError("The trial balance does not balance.")
