"""REST doors for everybody: find, follow, tap, read."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import person_of
from kernel import pictures
from kernel.api import ApiView, limit_of, page
from kernel.errors import Invalid, NotFound
from kernel.fields import IdField
from kernel.text import is_plain
from officials import access, actions, queries
from officials.models import Article
from officials.wire import (
    ArticlePageShape,
    ArticleShape,
    ConversationShape,
    OfficialPageShape,
    OfficialShape,
    article_json,
    line_json,
    official_json,
)

MAX_WORDS = 40
PICTURE_LIFE_S = 300


def words_of(request: Request) -> str:
    """What is searched for. Raises Invalid where it is too long or no plain text."""
    words = request.query_params.get("q", "").strip()
    if len(words) > MAX_WORDS or not is_plain(words, multiline=False):
        raise Invalid(fields={"q": f"0..{MAX_WORDS}"})
    return words


def article_cursor(article: Article) -> str:
    """An article's place in a list."""
    at = article.updated_at
    return f"{int(at.timestamp()) * 1_000_000 + at.microsecond}.{article.pk}"


def article_before(request: Request) -> tuple[datetime, UUID] | None:
    """The place that a page begins after. Raises Invalid."""
    raw = request.query_params.get("before")
    if not raw:
        return None
    micros, _, tail = raw.partition(".")
    try:
        if not micros.isascii() or not micros.isdigit() or len(micros) > 17:
            raise ValueError(raw)
        at = datetime.fromtimestamp(int(micros) // 1_000_000, UTC).replace(microsecond=int(micros) % 1_000_000)
        return at, UUID(tail)
    except (ValueError, OverflowError):
        raise Invalid(fields={"before": "cursor"}) from None


class TapBody(serializers.Serializer[Any]):
    id = IdField()
    key = serializers.SlugField(max_length=40)


class Officials(ApiView):
    @extend_schema(
        responses=OfficialPageShape,
        parameters=[
            OpenApiParameter("q", str),
            OpenApiParameter("followed", bool),
            OpenApiParameter("before", str),
            OpenApiParameter("limit", int),
        ],
        operation_id="officials_list",
    )
    def get(self, request: Request) -> Response:
        """Service accounts: all, found by words, or followed."""
        limit = limit_of(request)
        before = request.query_params.get("before", "")
        if len(before) > 40 or not is_plain(before, multiline=False):
            raise Invalid(fields={"before": "cursor"})
        faces = queries.listing(
            person_of(request).pk,
            words=words_of(request),
            followed=request.query_params.get("followed") == "true",
            before=before,
            limit=limit,
        )
        items, after = page(faces, limit, lambda face: face.official.code)
        return Response({"items": [official_json(face) for face in items], "next": after})


class OneOfficial(ApiView):
    @extend_schema(responses=OfficialShape)
    def get(self, request: Request, code: str) -> Response:
        """A service account."""
        return Response(official_json(queries.face(person_of(request).pk, code)))


class OfficialOfPerson(ApiView):
    @extend_schema(responses={200: OfficialShape, 204: None})
    def get(self, request: Request, person_id: UUID) -> Response:
        """The service account behind the other side of a conversation; 204 for a face that nobody finds or follows."""
        face = queries.by_person(person_of(request).pk, person_id)
        if face is not None:
            return Response(official_json(face))
        if queries.is_unlisted(person_id):
            return Response(status=204)
        raise NotFound


class Following(ApiView):
    @extend_schema(request=None, responses=ConversationShape)
    def put(self, request: Request, code: str) -> Response:
        """Follows; answers the conversation."""
        return Response({"conversation_id": str(actions.follow(person_id=person_of(request).pk, code=code))})

    @extend_schema(responses={204: None})
    def delete(self, request: Request, code: str) -> Response:
        """Stops following."""
        actions.unfollow(person_id=person_of(request).pk, code=code)
        return Response(status=204)


class Menu(ApiView):
    @extend_schema(request=TapBody, responses=ConversationShape)
    def post(self, request: Request, code: str) -> Response:
        """A tap on the menu: the answer comes in the conversation."""
        body = TapBody(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        conversation_id = actions.tap(person_id=person_of(request).pk, code=code, key=data["key"], tap_id=data["id"])
        return Response({"conversation_id": str(conversation_id)})


class Articles(ApiView):
    @extend_schema(
        responses=ArticlePageShape,
        parameters=[OpenApiParameter("before", str), OpenApiParameter("limit", int)],
        operation_id="officials_articles",
    )
    def get(self, request: Request, code: str) -> Response:
        """What a service account has published, newest first."""
        limit = limit_of(request)
        found = queries.articles(code, before=article_before(request), limit=limit, drafts=False)
        items, after = page(found, limit, article_cursor)
        return Response({"items": [line_json(one) for one in items], "next": after})


class OneArticle(ApiView):
    @extend_schema(responses=ArticleShape)
    def get(self, request: Request, article_id: UUID) -> Response:
        """An article that was published."""
        article = access.article(article_id)
        return Response(article_json(article, queries.face(person_of(request).pk, article.official.code)))


class OnePicture(ApiView):
    @extend_schema(
        responses={(200, pictures.CONTENT_TYPE): OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("size", str, enum=["full", "thumb"])],
    )
    def get(self, request: Request, picture_id: UUID) -> HttpResponse:
        """A picture of an article."""
        asked = request.query_params.get("size", "full")
        if asked not in ("full", "thumb"):
            raise Invalid(fields={"size": "full | thumb"})
        size: pictures.Size = "thumb" if asked == "thumb" else "full"
        answer = HttpResponse(
            access.picture(person_of(request).pk, picture_id, size), content_type=pictures.CONTENT_TYPE
        )
        answer["Cache-Control"] = f"private, max-age={PICTURE_LIFE_S}"
        answer["Vary"] = "Cookie"
        return answer
