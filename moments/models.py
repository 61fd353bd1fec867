"""Tables of moments: posts, who they are for, their pictures, likes and comments, and each person's own settings."""

from django.db import models
from django.db.models.functions import Length

from kernel.ids import new_id

MAX_TEXT = 2_000
MAX_PICTURES = 9
MAX_COMMENT = 500

models.CharField.register_lookup(Length)
models.TextField.register_lookup(Length)


class Profile(models.Model):
    """What moments keep about one person: how far back friends may look, and what they have seen themselves."""

    class Window(models.TextChoices):
        ALL = "all"
        HALF_YEAR = "half_year"
        MONTH = "month"
        THREE_DAYS = "three_days"

    person = models.OneToOneField("accounts.Person", primary_key=True, on_delete=models.CASCADE, related_name="+")
    window = models.CharField(max_length=10, choices=Window, default=Window.ALL)
    # No post of this person is newer. It may be later than the newest one left, since deleting does not lower it.
    newest_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)


class Post(models.Model):
    """Text, pictures, or both, said to friends or to some of them."""

    class Audience(models.TextChoices):
        FRIENDS = "friends"
        PRIVATE = "private"
        SOME = "some"
        EXCEPT = "except"

    id = models.UUIDField(primary_key=True)
    author = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    text = models.TextField(blank=True)
    audience = models.CharField(max_length=8, choices=Audience)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="post_text_fits", condition=models.Q(text__length__lte=MAX_TEXT)),
            models.CheckConstraint(
                name="post_audience_is_known",
                condition=models.Q(audience__in=["friends", "private", "some", "except"]),
            ),
        ]
        indexes = [
            models.Index(
                models.F("author"),
                models.F("created_at").desc(),
                models.F("id").desc(),
                name="post_of_author",
                include=["audience"],
                condition=models.Q(deleted_at__isnull=True),
            )
        ]


class PostPerson(models.Model):
    """A person whom a post's audience names: the only ones (`some`) or the left out (`except`)."""

    pk = models.CompositePrimaryKey("post_id", "person_id")
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="people", db_index=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")


class PostPicture(models.Model):
    """A picture uploaded for moments: first its owner's alone, then a post's, at a place."""

    picture = models.OneToOneField("kernel.Picture", primary_key=True, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+", db_index=False)
    post = models.ForeignKey(Post, null=True, on_delete=models.CASCADE, related_name="pictures", db_index=False)
    position = models.PositiveSmallIntegerField(default=0)
    uploaded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "position"], name="one_picture_per_place"),
            models.CheckConstraint(
                name="picture_place_fits", condition=models.Q(position__gte=0, position__lt=MAX_PICTURES)
            ),
        ]
        indexes = [
            models.Index(fields=["owner"], name="loose_pictures", condition=models.Q(post__isnull=True)),
        ]


class Like(models.Model):
    """A person likes a post."""

    id = models.UUIDField(primary_key=True, default=new_id)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="likes", db_index=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "person"], name="one_like_per_person")]


class Comment(models.Model):
    """Words under a post, perhaps in reply to others' words there."""

    id = models.UUIDField(primary_key=True)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comments", db_index=False)
    author = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    reply_to = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=MAX_COMMENT)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["post", "created_at", "id"],
                name="comment_of_post",
                condition=models.Q(deleted_at__isnull=True),
            )
        ]
