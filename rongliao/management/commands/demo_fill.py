"""Fills an empty database with the demo world."""

from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from rongliao import demo


class Command(BaseCommand):
    help = "Fills an empty database with the demo world (demo mode only)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", nargs="+", choices=demo.AREAS, default=demo.AREAS)
        parser.add_argument("--names", type=Path, help="write the names and ids of what was made to this file")

    def handle(self, *args: object, **options: object) -> None:
        if not settings.DEMO:
            raise CommandError("Nothing was made: the demo world is for DEMO=1 alone.")
        if get_user_model().objects.exists():
            raise CommandError("Nothing was made: somebody lives in this database already.")
        only, names = options["only"], options["names"]
        world = demo.fill(list(only) if isinstance(only, list | tuple) else demo.AREAS)
        if isinstance(names, Path):
            world.save(names)
