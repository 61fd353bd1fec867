"""People: how they prove who they are, whom they know, what they are to the bank."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q

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
    # What English readers see of a service account; people have one name.
    name_en = models.CharField(max_length=40, blank=True, default="")
    # What the seal says of a service account; people of the bank have it from their role.
    title = models.CharField(max_length=20, blank=True, default="")
    title_en = models.CharField(max_length=40, blank=True, default="")
    avatar_hue = models.PositiveSmallIntegerField(default=0)
    avatar_picture_id = models.UUIDField(null=True, blank=True)
    phone = EncryptedField(null=True)
    phone_index = models.BinaryField(max_length=32, null=True, unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_demo = models.BooleanField(default=False, editable=False)
    # Sessions opened under an older epoch are over.
    session_epoch = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[PersonManager] = PersonManager()
    USERNAME_FIELD = "id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "用户"
        verbose_name_plural = "用户"
        constraints = [
            models.CheckConstraint(
                name="officials_have_no_phone", condition=~Q(kind="official") | Q(phone_index__isnull=True)
            ),
            models.CheckConstraint(
                name="phone_with_its_index",
                condition=Q(phone__isnull=True, phone_index__isnull=True)
                | Q(phone__isnull=False, phone_index__isnull=False),
            ),
        ]

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


class Device(models.Model):
    """A browser or phone on which a person signed in. `client_id` is what the device calls itself."""

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="devices")
    client_id = models.UUIDField()
    name = models.CharField(max_length=60)
    created_at = models.DateTimeField(db_default=TransactionNow())
    last_seen_at = models.DateTimeField(db_default=TransactionNow())
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "client_id"], name="one_device_per_person")]


class DeviceSession(models.Model):
    """One sign-in on one device. It is open until it ends, or the person's epoch moves on."""

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="device_sessions")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="sessions")
    key_hash = models.BinaryField(max_length=32, unique=True)
    epoch = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=TransactionNow())
    last_seen_at = models.DateTimeField(db_default=TransactionNow())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["person", "device"], name="open_sessions", condition=Q(ended_at__isnull=True)),
        ]


class OneTimeCode(models.Model):
    """A code sent to a phone. Only its keyed digest is kept."""

    class Purpose(models.TextChoices):
        REGISTER = "register"
        SIGN_IN = "sign_in"
        RESET = "reset_password"
        BANK = "bank_proof"
        """Asked for on the bank's page alone, by somebody in a bank session."""

    id = models.UUIDField(primary_key=True, default=new_id)
    phone_index = models.BinaryField(max_length=32)
    purpose = models.CharField(max_length=20, choices=Purpose)
    asked_by = models.BinaryField(max_length=32)
    """A blind index of who asked, who alone may use it."""
    digest = models.BinaryField(max_length=32)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(db_default=TransactionNow())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["phone_index", "purpose", "-id"], name="newest_code")]


class Throttle(models.Model):
    """How often something was tried in a window of time. The key is a blind index: it names nobody."""

    key = models.BinaryField(primary_key=True, max_length=32)
    count = models.PositiveIntegerField()
    resets_at = models.DateTimeField()


class Identity(models.Model):
    """A registered name and ID number. `named`: given by the person; `verified`: confirmed by a bank."""

    class Level(models.TextChoices):
        NAMED = "named"
        VERIFIED = "verified"

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="identity")
    name = EncryptedField()
    id_number = EncryptedField()
    id_index = models.BinaryField(max_length=32)
    level = models.CharField(max_length=10, choices=Level, default=Level.NAMED)
    created_at = models.DateTimeField(db_default=TransactionNow())
    verified_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Only a proved number is taken: somebody who types another's number must not lock them out.
            models.UniqueConstraint(fields=["id_index"], name="one_person_per_id", condition=Q(level="verified")),
            models.CheckConstraint(
                name="verified_has_its_time",
                condition=Q(level="named", verified_at__isnull=True) | Q(level="verified", verified_at__isnull=False),
            ),
        ]


class BankCard(models.Model):
    """Another bank's card that a person proved to be theirs."""

    class Kind(models.TextChoices):
        DEBIT = "debit"
        CREDIT = "credit"

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="bank_cards")
    number = EncryptedField()
    number_index = models.BinaryField(max_length=32)
    tail = models.CharField(max_length=4)
    bank_name = models.CharField(max_length=40)
    kind = models.CharField(max_length=6, choices=Kind)
    bound_at = models.DateTimeField(db_default=TransactionNow())
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["number_index"], name="card_bound_once", condition=Q(removed_at__isnull=True)
            ),
        ]


class Friendship(models.Model):
    """One side of a friendship; the other side's row is made and removed with it."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="friendships")
    friend = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    remark = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "friend"], name="friends_once"),
            models.CheckConstraint(name="nobody_befriends_themselves", condition=~Q(person=F("friend"))),
        ]


class FriendRequest(models.Model):
    """Somebody asks to be friends."""

    class State(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        DECLINED = "declined"

    id = models.UUIDField(primary_key=True, default=new_id)
    sender = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="requests_sent")
    receiver = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="requests_received")
    message = models.CharField(max_length=60, blank=True, default="")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(db_default=TransactionNow())
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "receiver"], name="one_pending_request", condition=Q(state="pending")
            ),
            models.CheckConstraint(name="nobody_asks_themselves", condition=~Q(sender=F("receiver"))),
        ]
        indexes = [models.Index(fields=["receiver", "-id"], name="requests_of_receiver")]


class StaffRole(models.Model):
    """What a member of staff may do. Given by `manage.py create_staff` or the admin, never by registration."""

    class Role(models.TextChoices):
        ADVISOR = "advisor"
        AGENT = "agent"
        OPERATOR = "operator"
        CHECKER = "checker"
        PRODUCT = "product"
        COMPLIANCE = "compliance"
        OFFICIAL_OPERATOR = "official_operator"

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="staff_roles")
    role = models.CharField(max_length=20, choices=Role)
    branch = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        verbose_name = "岗位"
        verbose_name_plural = "岗位"
        constraints = [models.UniqueConstraint(fields=["person", "role"], name="role_once")]


class StaffChange(models.Model):
    """A new member of staff, or roles for one: asked for by one person of the bank, decided by another."""

    class State(models.TextChoices):
        WAITING = "waiting", "待复核"
        APPROVED = "approved", "已批准"
        REFUSED = "refused", "已拒绝"

    id = models.UUIDField(primary_key=True, default=new_id)
    # Whom it is about; for somebody new, once they are made.
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    display_name = models.CharField(max_length=40, blank=True, default="")
    phone = EncryptedField(null=True)
    phone_index = models.BinaryField(max_length=32, null=True)
    # Role to branch.
    roles = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=TransactionNow())
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "岗位申请"
        verbose_name_plural = "岗位申请"
        constraints = [
            models.CheckConstraint(
                name="staff_change_takes_two",
                condition=Q(state="waiting", decided_by__isnull=True)
                | (~Q(state="waiting") & ~Q(decided_by=F("asked_by")) & Q(decided_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="staff_change_not_for_oneself", condition=Q(person__isnull=True) | ~Q(person=F("asked_by"))
            ),
            models.UniqueConstraint(
                fields=["person"], name="one_waiting_change", condition=Q(state="waiting", person__isnull=False)
            ),
            models.UniqueConstraint(fields=["phone_index"], name="one_waiting_number", condition=Q(state="waiting")),
        ]


class Advising(models.Model):
    """Who advises whom, from when until when."""

    id = models.BigAutoField(primary_key=True)
    advisor = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField(db_default=TransactionNow())
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "客户归属"
        verbose_name_plural = "客户归属"
        constraints = [
            models.UniqueConstraint(fields=["customer"], name="one_advisor_at_a_time", condition=Q(until__isnull=True)),
            models.CheckConstraint(name="nobody_advises_themselves", condition=~Q(advisor=F("customer"))),
        ]
        indexes = [models.Index(fields=["advisor"], name="advised_now", condition=Q(until__isnull=True))]


class Consent(models.Model):
    """What a person agreed to, in which version, and when (`accounts.agreements` keeps the texts)."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="consents")
    kind = models.CharField(max_length=30)
    version = models.CharField(max_length=20)
    at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind", "version"], name="consent_once")]
