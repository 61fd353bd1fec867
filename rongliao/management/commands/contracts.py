"""Writes the schemas of the REST API and of the socket for the front end's types."""

import json
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand

from rongliao import contracts


class Command(BaseCommand):
    help = "Writes openapi.json and frames.json into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: object, **options: object) -> None:
        folder = options["folder"]
        assert isinstance(folder, Path)
        for name, schema in (("openapi", contracts.openapi()), ("frames", contracts.frames())):
            text = json.dumps(schema, ensure_ascii=False, indent=1, sort_keys=True, default=str)
            (folder / f"{name}.json").write_text(text + "\n")
