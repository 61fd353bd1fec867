"""The shapes of moments in JSON."""

from typing import Any

from rest_framework import serializers

from accounts.wire import person_json
from kernel.models import Picture
from moments.models import Profile
from moments.queries import Remark, Shown


class PictureShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class MomentSeal(serializers.Serializer[Any]):
    role = serializers.CharField()
    title = serializers.CharField()
    title_en = serializers.CharField()
    organisation = serializers.CharField()
    organisation_en = serializers.CharField()


class MomentPerson(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    remark = serializers.CharField(allow_null=True)
    hue = serializers.IntegerField()
    avatar_url = serializers.CharField(allow_null=True)
    seal = MomentSeal(allow_null=True)
    kind = serializers.CharField()


class CommentShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    author = MomentPerson()
    reply_to = MomentPerson(allow_null=True)
    text = serializers.CharField()
    at = serializers.DateTimeField()


class PostShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    author = MomentPerson()
    text = serializers.CharField()
    audience = serializers.ChoiceField(["friends", "private", "some", "except"], allow_null=True)
    people = MomentPerson(many=True)
    pictures = PictureShape(many=True)
    at = serializers.DateTimeField()
    liked = serializers.BooleanField()
    likes = MomentPerson(many=True)
    like_count = serializers.IntegerField()
    comments = CommentShape(many=True)
    comment_count = serializers.IntegerField()
    older_comments = serializers.CharField(allow_null=True)


class PostPageShape(serializers.Serializer[Any]):
    items = PostShape(many=True)
    next = serializers.CharField(allow_null=True)


class CommentPageShape(serializers.Serializer[Any]):
    items = CommentShape(many=True)
    next = serializers.CharField(allow_null=True)


class UnseenShape(serializers.Serializer[Any]):
    posts = serializers.IntegerField()
    reactions = serializers.IntegerField()


class SettingsShape(serializers.Serializer[Any]):
    window = serializers.ChoiceField(Profile.Window.values)


def picture_json(picture: Picture) -> dict[str, Any]:
    """A picture's place in a page; its bytes are fetched by who may see them."""
    return {"id": str(picture.pk), "width": picture.width, "height": picture.height}


def comment_json(remark: Remark) -> dict[str, Any]:
    """A comment as its reader sees it."""
    return {
        "id": str(remark.comment.pk),
        "author": person_json(remark.author),
        "reply_to": None if remark.reply_to is None else person_json(remark.reply_to),
        "text": remark.comment.text,
        "at": remark.comment.created_at,
    }


def post_json(shown: Shown, *, own: bool) -> dict[str, Any]:
    """A post as its reader sees it. Whom it is for is told to its author alone."""
    return {
        "id": str(shown.post.pk),
        "author": person_json(shown.author),
        "text": shown.post.text,
        "audience": shown.post.audience if own else None,
        "people": [person_json(one) for one in shown.people] if own else [],
        "pictures": [picture_json(row.picture) for row in shown.pictures],
        "at": shown.post.created_at,
        "liked": shown.liked,
        "likes": [person_json(one) for one in shown.likes],
        "like_count": shown.like_count,
        "comments": [comment_json(one) for one in shown.remarks],
        "comment_count": shown.remark_count,
        "older_comments": shown.older_remarks,
    }
