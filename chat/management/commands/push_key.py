"""manage.py push_key: a key for Web Push, to be kept as VAPID_PRIVATE_KEY."""

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Makes a private key for Web Push (VAPID). Keep it: with another one, every browser has to subscribe anew."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the key as VAPID_PRIVATE_KEY takes it."""
        number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
        self.stdout.write(base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("="))
