"""The shapes of service accounts in JSON."""

from typing import Any

from rest_framework import serializers

from accounts.wire import person_json
from officials import menu
from officials.models import Article, Official
from officials.queries import Face, Progress


class OfficialPerson(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    remark = serializers.CharField(allow_null=True)
    hue = serializers.IntegerField()
    avatar_url = serializers.CharField(allow_null=True)
    seal = serializers.DictField(child=serializers.CharField(), allow_null=True)
    kind = serializers.CharField()


class MenuLeafShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    path = serializers.CharField(allow_null=True)


class MenuEntryShape(MenuLeafShape):
    entries = MenuLeafShape(many=True)


class OfficialShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    person = OfficialPerson()
    description = serializers.CharField()
    followed = serializers.BooleanField()
    always_on = serializers.BooleanField()
    menu = MenuEntryShape(many=True)


class OfficialPageShape(serializers.Serializer[Any]):
    items = OfficialShape(many=True)
    next = serializers.CharField(allow_null=True)


class ConversationShape(serializers.Serializer[Any]):
    conversation_id = serializers.UUIDField()


class BlockShape(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["heading", "paragraph", "picture"])
    text = serializers.CharField(required=False)
    picture_id = serializers.UUIDField(required=False)


class ArticleLineShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    official_code = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    cover_id = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(["draft", "published"])
    revision = serializers.IntegerField()
    sent = serializers.BooleanField()
    updated_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)


class ArticleShape(ArticleLineShape):
    person = OfficialPerson()
    blocks = BlockShape(many=True)


class ArticlePageShape(serializers.Serializer[Any]):
    items = ArticleLineShape(many=True)
    next = serializers.CharField(allow_null=True)


class ManagedShape(OfficialShape):
    followers = serializers.IntegerField()


class ManagedListShape(serializers.Serializer[Any]):
    items = ManagedShape(many=True)


class KeywordShape(serializers.Serializer[Any]):
    word = serializers.CharField()
    reply = serializers.CharField()


class RepliesShape(serializers.Serializer[Any]):
    revision = serializers.IntegerField(help_text="to be sent along when these are replaced")
    menu = serializers.JSONField()
    greeting = serializers.CharField(allow_blank=True)
    auto_reply = serializers.CharField(allow_blank=True)
    keywords = KeywordShape(many=True)


class ProgressShape(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    sent = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


def official_json(face: Face) -> dict[str, Any]:
    """A service account as a customer sees it."""
    official = face.official
    return {
        "code": official.code,
        "person": person_json(face.person),
        "description": official.description,
        "followed": face.followed,
        "always_on": official.always_on,
        "menu": menu.shape(menu.parse(official.menu)),
    }


def managed_json(face: Face) -> dict[str, Any]:
    """A service account as operations see it."""
    return official_json(face) | {"followers": face.followers or 0}


def replies_json(official: Official) -> dict[str, Any]:
    """What a service account says by itself."""
    return {
        "revision": official.replies_revision,
        "menu": official.menu,
        "greeting": official.greeting,
        "auto_reply": official.auto_reply,
        "keywords": [{"word": one.word, "reply": one.reply} for one in official.keywords.order_by("word")],
    }


def line_json(article: Article) -> dict[str, Any]:
    """An article in a list."""
    return {
        "id": str(article.pk),
        "official_code": article.official.code,
        "title": article.title,
        "summary": article.summary,
        "cover_id": None if article.cover_id is None else str(article.cover_id),
        "status": article.status,
        "revision": article.revision,
        "sent": hasattr(article, "broadcast"),
        "updated_at": article.updated_at,
        "published_at": article.published_at,
    }


def article_json(article: Article, face: Face) -> dict[str, Any]:
    """An article in full."""
    return line_json(article) | {"person": person_json(face.person), "blocks": article.blocks}


def progress_json(progress: Progress) -> dict[str, Any]:
    """How far a broadcast has come."""
    return {
        "total": progress.total,
        "sent": progress.sent,
        "started_at": progress.started_at,
        "finished_at": progress.finished_at,
    }
