"""What checking a password costs, whoever has stolen the table."""

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Django's argon2id with the installation's memory, `PASSWORD_HASH_KIB`; a hash with another is renewed at
    sign-in."""

    memory_cost = settings.PASSWORD_HASH_KIB
