"""Makes a member of staff: the only way besides the admin."""

from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rest_framework.exceptions import ValidationError

from accounts import actions
from accounts.api.serializers import phone_field
from accounts.models import StaffRole
from kernel.errors import Refusal
from kernel.text import is_name


class Command(BaseCommand):
    help = "Makes a member of staff. The password is asked for, or set later by a code to their phone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="the name that customers see")
        parser.add_argument("--phone", required=True, help="the mobile number to sign in with")
        parser.add_argument("--roles", required=True, nargs="+", choices=StaffRole.Role.values)
        parser.add_argument("--branch", default="", help="the branch that the seal names")
        parser.add_argument("--no-password", action="store_true", help="they set one by a code to their phone")

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_name(options["name"]) or len(options["name"]) > 40:
            raise CommandError("Nobody was made: the name is empty, too long, or has marks that are not allowed.")
        if options["branch"] and (not is_name(options["branch"]) or len(options["branch"]) > 40):
            raise CommandError("Nobody was made: the branch is too long, or has marks that are not allowed.")
        try:
            phone = phone_field().run_validation(options["phone"])
            person = actions.create_staff(
                name=options["name"],
                phone=phone,
                password=None if options["no_password"] else self._password(),
                roles=options["roles"],
                branch=options["branch"],
            )
        except Refusal as refusal:
            raise CommandError(f"Nobody was made: {refusal.message('en')}") from refusal
        except ValidationError as error:
            raise CommandError("Nobody was made: the phone number is no mobile number.") from error
        self.stdout.write(f"{person.display_name} ({', '.join(sorted(options['roles']))}): {person.pk}")

    def _password(self) -> str:
        first, second = getpass("Password: "), getpass("Again: ")
        if first != second:
            raise CommandError("Nobody was made: the two passwords differ.")
        return first
