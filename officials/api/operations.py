"""REST doors for operations: write, preview, send, see how far it is."""

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import person_of
from accounts.permissions import HasRole
from kernel.api import ApiView, limit_of, page
from kernel.errors import NotFound
from kernel.fields import IdField, PlainText, WholeField
from officials import access, actions, queries
from officials.api.public import article_before, article_cursor
from officials.models import MAX_REPLY, MAX_SUMMARY, MAX_TITLE, Article
from officials.wire import (
    ArticlePageShape,
    ArticleShape,
    ManagedListShape,
    ProgressShape,
    RepliesShape,
    article_json,
    line_json,
    managed_json,
    progress_json,
    replies_json,
)

Operator = HasRole(access.OPERATOR)
MAX_KEYWORDS = 50


class ArticleBody(serializers.Serializer[Any]):
    id = IdField()
    revision = WholeField(minimum=0)
    title = PlainText(name=True, max_length=MAX_TITLE)
    summary = PlainText(max_length=MAX_SUMMARY, allow_blank=True, default="")
    cover_id = IdField(allow_null=True, default=None)
    blocks = serializers.ListField(child=serializers.DictField(), max_length=100)


class ArticlePictureBody(serializers.Serializer[Any]):
    file = serializers.FileField()


class PictureAnswer(serializers.Serializer[Any]):
    id = IdField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class KeywordBody(serializers.Serializer[Any]):
    word = PlainText(name=True, max_length=20)
    reply = PlainText(max_length=MAX_REPLY, multiline=True)


class RepliesBody(serializers.Serializer[Any]):
    revision = WholeField(minimum=0, help_text="of the replies that were changed")
    menu = serializers.ListField(child=serializers.DictField(), max_length=3)
    greeting = PlainText(max_length=MAX_REPLY, multiline=True, allow_blank=True)
    auto_reply = PlainText(max_length=MAX_REPLY, multiline=True, allow_blank=True)
    keywords = KeywordBody(many=True)

    def validate_keywords(self, value: list[dict[str, str]]) -> list[dict[str, str]]:
        """Not more than one looks through, no word twice."""
        if len(value) > MAX_KEYWORDS or len({one["word"].lower() for one in value}) != len(value):
            raise serializers.ValidationError(f"最多 {MAX_KEYWORDS} 个关键词,不能重复。")
        return value


def _article(operator_id: UUID, article: Article, status: int = 200) -> Response:
    return Response(article_json(article, queries.face(operator_id, article.official.code)), status=status)


class Managed(ApiView):
    permission_classes = [Operator]

    @extend_schema(responses=ManagedListShape, operation_id="officials_managed")
    def get(self, request: Request) -> Response:
        """The service accounts with their followers."""
        return Response({"items": [managed_json(face) for face in queries.managed(person_of(request).pk)]})


class Replies(ApiView):
    permission_classes = [Operator]

    @extend_schema(responses=RepliesShape)
    def get(self, request: Request, code: str) -> Response:
        """Menu and automatic answers."""
        return Response(replies_json(access.official(code)))

    @extend_schema(request=RepliesBody, responses=RepliesShape)
    def put(self, request: Request, code: str) -> Response:
        """Replaces menu and automatic answers; 409 `replies_moved` if somebody else did so meanwhile."""
        body = RepliesBody(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        official = actions.save_menu(
            operator_id=person_of(request).pk,
            code=code,
            revision=data["revision"],
            raw_menu=data["menu"],
            greeting=data["greeting"],
            auto_reply=data["auto_reply"],
            keywords=[(one["word"], one["reply"]) for one in data["keywords"]],
        )
        return Response(replies_json(official))


class Drafts(ApiView):
    permission_classes = [Operator]

    @extend_schema(
        responses=ArticlePageShape,
        parameters=[OpenApiParameter("before", str), OpenApiParameter("limit", int)],
        operation_id="officials_drafts",
    )
    def get(self, request: Request, code: str) -> Response:
        """All articles of a service account, the last touched first."""
        limit = limit_of(request)
        found = queries.articles(code, before=article_before(request), limit=limit, drafts=True)
        items, after = page(found, limit, article_cursor)
        return Response({"items": [line_json(one) for one in items], "next": after})

    @extend_schema(request=ArticleBody, responses={200: ArticleShape})
    def put(self, request: Request, code: str) -> Response:
        """Writes a draft, new or changed."""
        body = ArticleBody(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        me = person_of(request).pk
        article = actions.save_article(
            operator_id=me,
            code=code,
            article_id=data["id"],
            revision=data["revision"],
            title=data["title"],
            summary=data["summary"],
            cover_id=data["cover_id"],
            raw_blocks=data["blocks"],
        )
        return _article(me, article)


class OneDraft(ApiView):
    permission_classes = [Operator]

    @extend_schema(responses=ArticleShape)
    @transaction.atomic
    def get(self, request: Request, article_id: UUID) -> Response:
        """An article in any state."""
        return _article(person_of(request).pk, access.draft(article_id))


class Sending(ApiView):
    permission_classes = [Operator]

    @extend_schema(responses=ProgressShape)
    def get(self, request: Request, article_id: UUID) -> Response:
        """How far the broadcast is."""
        progress = queries.progress(article_id)
        if progress is None:
            raise NotFound
        return Response(progress_json(progress))

    @extend_schema(request=None, responses=ProgressShape)
    def post(self, request: Request, article_id: UUID) -> Response:
        """Publishes the article and sends it to all followers; once."""
        actions.broadcast(operator_id=person_of(request).pk, article_id=article_id)
        return self.get(request, article_id)


class ArticlePictures(ApiView):
    permission_classes = [Operator]
    parser_classes = [MultiPartParser]

    @extend_schema(request={"multipart/form-data": ArticlePictureBody}, responses={201: PictureAnswer})
    def post(self, request: Request, code: str) -> Response:
        """Uploads one picture for articles of a service account."""
        body = ArticlePictureBody(data=request.data)
        body.is_valid(raise_exception=True)
        picture = actions.upload_picture(
            operator_id=person_of(request).pk, code=code, upload=body.validated_data["file"]
        )
        return Response({"id": str(picture.pk), "width": picture.width, "height": picture.height}, status=201)
