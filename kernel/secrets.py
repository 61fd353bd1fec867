"""Personal data at rest: AES-GCM bound to its place, and keyed blind indexes to find it by."""

import base64
import hashlib
import hmac
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    # Django's class takes its parameters in the stubs alone.
    _Binary = models.BinaryField[Any, Any]
else:
    _Binary = models.BinaryField

_NONCE_BYTES = 12


@lru_cache
def _keys(configured: tuple[str, ...]) -> dict[str, AESGCM]:
    keys = {}
    for item in configured:
        key_id, _, encoded = item.partition(":")
        keys[key_id] = AESGCM(base64.b64decode(encoded))
    return keys


def seal(plain: bytes, context: str) -> bytes:
    """Encrypts under the newest key; `context` (such as model:pk:field) must be the same to open it.

    Layout: one byte for the length of the key's id, the id, a 12-byte nonce, the ciphertext with its tag.
    """
    keys = _keys(tuple(settings.FIELD_KEYS))
    key_id = next(iter(keys))
    nonce = os.urandom(_NONCE_BYTES)
    name = key_id.encode()
    return bytes([len(name)]) + name + nonce + keys[key_id].encrypt(nonce, plain, context.encode())


def unseal(sealed: bytes, context: str) -> bytes:
    """Opens what `seal` made. Raises cryptography's InvalidTag if it was altered, moved, or sealed elsewhere."""
    length = sealed[0]
    key_id = sealed[1 : 1 + length].decode()
    rest = sealed[1 + length :]
    return _keys(tuple(settings.FIELD_KEYS))[key_id].decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], context.encode())


def blind_index(purpose: str, value: str) -> bytes:
    """A keyed digest (32 bytes) by which an encrypted value is found again; another purpose, another digest."""
    return hmac.digest(settings.BLIND_INDEX_KEY.encode(), f"{purpose}\x00{value}".encode(), hashlib.sha256().name)


class Sealed(bytes):
    """Ciphertext as it stands in the database."""


class _Opening:
    """Decrypts on reading the attribute, so that a row that is only passed along is never opened."""

    def __init__(self, field: "EncryptedField") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            instance.refresh_from_db(fields=[name])
        value = instance.__dict__[name]
        if isinstance(value, Sealed):
            return self.field.opened(instance.pk, value)
        return value

    def __set__(self, instance: models.Model, value: str | Sealed | None) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedField(_Binary):
    """Text kept encrypted, bound to its model, row and field. It cannot be filtered on: keep a blind index beside it.

    The row's primary key must be known before saving (ours are UUIDs made by the client or by `new_id`).
    """

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Installs the attribute that decrypts on reading."""
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _Opening(self))

    def context(self, key: Any) -> str:
        """The associated data that ties a ciphertext to its place: the row with this primary key."""
        return f"{self.model._meta.label_lower}:{key}:{self.attname}"

    def opened(self, key: Any, sealed: bytes) -> str:
        """What the ciphertext of the row with this primary key says. Raises as `unseal` does."""
        return unseal(sealed, self.context(key)).decode()

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        """Encrypts a text that was set since loading."""
        value = model_instance.__dict__.get(self.attname)
        if isinstance(value, str):
            if model_instance.pk is None:
                raise ValueError(f"{self.name} cannot be encrypted before the row has its key")
            value = Sealed(seal(value.encode(), self.context(model_instance.pk)))
            model_instance.__dict__[self.attname] = value
        return value

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """Refuses to write clear text, whichever way it came."""
        if isinstance(value, str):
            raise TypeError(f"{self.name} takes no clear text here: set it on an instance and save that")
        return super().get_db_prep_value(value, connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Sealed | None:
        """Marks what was read as ciphertext."""
        return None if value is None else Sealed(bytes(value))
