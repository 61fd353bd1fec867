"""People."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from kernel.ids import new_id
from kernel.secrets import EncryptedField


class PersonManager(BaseUserManager["Person"]):
    """Makes people; the doors are accounts.actions."""

    def get_by_natural_key(self, username: str | None) -> "Person":
        """Found by id: the sign-in name is a phone number, which is kept encrypted."""
        return self.get(pk=UUID(str(username)))


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody who talks: customer, visitor, member of staff, or a service account (which cannot sign in)."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer"
        VISITOR = "visitor"
        STAFF = "staff"
        OFFICIAL = "official"

    id = models.UUIDField(primary_key=True, default=new_id)
    kind = models.CharField(max_length=10, choices=Kind)
    display_name = models.CharField(max_length=40)
    avatar_hue = models.PositiveSmallIntegerField(default=0)
    avatar_picture_id = models.UUIDField(null=True)
    phone = EncryptedField(null=True)
    phone_index = models.BinaryField(max_length=32, null=True, unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    session_epoch = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[PersonManager] = PersonManager()
    USERNAME_FIELD = "id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.display_name

    def get_full_name(self) -> str:
        """The name that people see."""
        return self.display_name

    def get_short_name(self) -> str:
        """The name that people see."""
        return self.display_name

    def natural_key(self) -> tuple[Any]:
        """The id."""
        return (self.pk,)
