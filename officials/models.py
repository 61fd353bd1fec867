"""Tables of service accounts: who they are, who follows them, what they wrote and to whom it went."""

from django.db import models
from django.db.models.functions import Length

from kernel.ids import new_id

MAX_TITLE = 64
MAX_SUMMARY = 120
MAX_DESCRIPTION = 200
MAX_REPLY = 1_000

models.CharField.register_lookup(Length)


class Official(models.Model):
    """A service account. Its face and name are a person of kind `official`, who cannot sign in."""

    id = models.UUIDField(primary_key=True, default=new_id)
    code = models.SlugField(max_length=40, unique=True)
    person = models.OneToOneField("accounts.Person", on_delete=models.PROTECT, related_name="+")
    description = models.CharField(max_length=MAX_DESCRIPTION)
    # officials.menu checks the shape: at most three entries, each with at most five below it.
    menu = models.JSONField(default=list)
    greeting = models.CharField(max_length=MAX_REPLY, blank=True, default="")
    auto_reply = models.CharField(max_length=MAX_REPLY, blank=True, default="")
    # Counts the saves of menu, greeting and answers: who writes says which they have seen.
    replies_revision = models.PositiveIntegerField(default=0)
    # One that belongs to having an account here: it writes without being followed, and cannot be left.
    always_on = models.BooleanField(default=False)
    # One that is not listed cannot be found or followed: it only lends a face (the service desk's).
    listed = models.BooleanField(default=True)
    created_at = models.DateTimeField()


class Keyword(models.Model):
    """What a service account answers to a text that says just this word."""

    official = models.ForeignKey(Official, on_delete=models.CASCADE, related_name="keywords", db_index=False)
    word = models.CharField(max_length=20)
    reply = models.CharField(max_length=MAX_REPLY)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["official", "word"], name="one_reply_per_word")]


class Follow(models.Model):
    """A person follows a service account."""

    id = models.UUIDField(primary_key=True, default=new_id)
    official = models.ForeignKey(Official, on_delete=models.CASCADE, related_name="follows", db_index=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["official", "person"], name="one_follow_per_person")]


class Article(models.Model):
    """Something that a service account writes: paragraphs, headings and pictures, no markup."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"

    id = models.UUIDField(primary_key=True)
    official = models.ForeignKey(Official, on_delete=models.PROTECT, related_name="articles", db_index=False)
    title = models.CharField(max_length=MAX_TITLE)
    summary = models.CharField(max_length=MAX_SUMMARY, blank=True, default="")
    cover = models.ForeignKey("kernel.Picture", null=True, on_delete=models.PROTECT, related_name="+")
    # officials.blocks checks the shape.
    blocks = models.JSONField()
    author = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="article_published_has_a_time",
                condition=models.Q(status="draft", published_at__isnull=True)
                | models.Q(status="published", published_at__isnull=False),
            ),
            models.CheckConstraint(name="article_title_fits", condition=models.Q(title__length__gte=1)),
        ]
        indexes = [models.Index(fields=["official", "-updated_at", "-id"], name="article_of_official")]


class ArticlePicture(models.Model):
    """A picture that operations uploaded for a service account's articles."""

    picture = models.OneToOneField("kernel.Picture", primary_key=True, on_delete=models.PROTECT, related_name="+")
    official = models.ForeignKey(Official, on_delete=models.CASCADE, related_name="pictures")
    article = models.ForeignKey(Article, null=True, on_delete=models.SET_NULL, related_name="pictures")


class Broadcast(models.Model):
    """An article on its way to everybody who followed when it was sent. One per article."""

    id = models.UUIDField(primary_key=True, default=new_id)
    article = models.OneToOneField(Article, on_delete=models.PROTECT, related_name="broadcast")
    started_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField()


class Delivery(models.Model):
    """One follower's copy of a broadcast: still due while `sent_at` is empty."""

    id = models.BigAutoField(primary_key=True)
    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["broadcast", "person"], name="one_delivery_per_person")]
        indexes = [
            models.Index(fields=["broadcast", "id"], name="delivery_due", condition=models.Q(sent_at__isnull=True))
        ]


class MenuTap(models.Model):
    """A tap on a menu that was answered; the client makes the id, so that a repeat is not answered twice."""

    id = models.UUIDField(primary_key=True)
    official = models.ForeignKey(Official, on_delete=models.CASCADE, related_name="+", db_index=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=40)
    at = models.DateTimeField()
