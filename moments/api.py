"""REST doors of moments."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import person_of
from kernel import pictures
from kernel.api import ApiView, limit_of, page, picture_answer
from kernel.clock import now
from kernel.errors import Invalid, NotFound
from kernel.fields import IdField, PlainText
from moments import access, actions, queries
from moments.models import MAX_COMMENT, MAX_PICTURES, MAX_TEXT, Post, Profile
from moments.queries import Place, Remark, Shown
from moments.wire import (
    CommentPageShape,
    CommentShape,
    PictureShape,
    PostPageShape,
    PostShape,
    SettingsShape,
    UnseenShape,
    comment_json,
    picture_json,
    post_json,
)

PAGE = 20
MAX_PAGE = 50
MAX_PEOPLE = 500

_PAGING = [
    OpenApiParameter("before", str, description="`next` of the page before"),
    OpenApiParameter("limit", int, description=f"1..{MAX_PAGE}"),
]


def _place_of(request: Request) -> Place | None:
    raw = request.query_params.get("before")
    if not raw:
        return None
    try:
        return Place.parse(raw)
    except (ValueError, OverflowError):
        raise Invalid(fields={"before": "cursor"}) from None


def _posts(shown: list[Shown], limit: int, viewer_id: UUID) -> Response:
    items, after = page(shown, limit, lambda one: one.place)
    return Response({"items": [post_json(one, own=one.post.author_id == viewer_id) for one in items], "next": after})


def _one(viewer_id: UUID, post_id: UUID, status: int = 200) -> Response:
    shown = queries.one_post(viewer_id, post_id)
    return Response(post_json(shown, own=shown.post.author_id == viewer_id), status=status)


class PostBody(serializers.Serializer[Any]):
    id = IdField()
    text = PlainText(max_length=MAX_TEXT, allow_blank=True, multiline=True, default="")
    audience = serializers.ChoiceField(Post.Audience.choices, default=Post.Audience.FRIENDS)
    people = serializers.ListField(child=IdField(), max_length=MAX_PEOPLE, default=list)
    pictures = serializers.ListField(child=IdField(), max_length=MAX_PICTURES, default=list)

    def validate_pictures(self, value: list[UUID]) -> list[UUID]:
        """Each picture once."""
        if len(set(value)) != len(value):
            raise serializers.ValidationError("同一张图片只能用一次。")
        return value


class CommentBody(serializers.Serializer[Any]):
    id = IdField()
    text = PlainText(max_length=MAX_COMMENT, multiline=True)
    reply_to = IdField(allow_null=True, default=None)

    def validate_text(self, value: str) -> str:
        """Not only blanks."""
        if not value.strip():
            raise serializers.ValidationError("写点什么再发表。")
        return value


class SettingsBody(serializers.Serializer[Any]):
    window = serializers.ChoiceField(Profile.Window.choices)


class SeenBody(serializers.Serializer[Any]):
    upto = serializers.DateTimeField()


class UploadBody(serializers.Serializer[Any]):
    file = serializers.FileField()


class Timeline(ApiView):
    @extend_schema(responses=PostPageShape, parameters=_PAGING, operation_id="moments_timeline")
    def get(self, request: Request) -> Response:
        """The feed: one's own posts and friends', newest first."""
        limit = limit_of(request, default=PAGE, most=MAX_PAGE)
        me = person_of(request).pk
        return _posts(queries.timeline(me, before=_place_of(request), limit=limit), limit, me)


class Posts(ApiView):
    @extend_schema(request=PostBody, responses={201: PostShape, 200: PostShape})
    def post(self, request: Request) -> Response:
        """Posts. 201, or 200 where this very post was there already."""
        body = PostBody(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        me = person_of(request).pk
        made, new = actions.post(
            person_id=me,
            post_id=data["id"],
            text=data["text"],
            audience=data["audience"],
            people=data["people"],
            picture_ids=data["pictures"],
        )
        return _one(me, made.pk, 201 if new else 200)


class OnePost(ApiView):
    @extend_schema(responses=PostShape)
    def get(self, request: Request, post_id: UUID) -> Response:
        """One post."""
        return _one(person_of(request).pk, post_id)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, post_id: UUID) -> Response:
        """Takes a post of one's own away."""
        actions.delete_post(person_id=person_of(request).pk, post_id=post_id)
        return Response(status=204)


class PersonPosts(ApiView):
    @extend_schema(responses=PostPageShape, parameters=_PAGING, operation_id="moments_album")
    def get(self, request: Request, person_id: UUID) -> Response:
        """A friend's posts, or one's own, newest first."""
        limit = limit_of(request, default=PAGE, most=MAX_PAGE)
        me = person_of(request).pk
        shown = queries.album(me, person_id, before=_place_of(request), limit=limit)
        if shown is None:
            raise NotFound
        return _posts(shown, limit, me)


class Likes(ApiView):
    @extend_schema(request=None, responses=PostShape)
    def put(self, request: Request, post_id: UUID) -> Response:
        """Likes a post."""
        me = person_of(request).pk
        actions.like(person_id=me, post_id=post_id)
        return _one(me, post_id)

    @extend_schema(responses=PostShape)
    def delete(self, request: Request, post_id: UUID) -> Response:
        """Takes a like back."""
        me = person_of(request).pk
        actions.unlike(person_id=me, post_id=post_id)
        return _one(me, post_id)


class Comments(ApiView):
    @extend_schema(responses=CommentPageShape, parameters=_PAGING)
    def get(self, request: Request, post_id: UUID) -> Response:
        """Comments under a post, newest first."""
        limit = limit_of(request, default=PAGE, most=MAX_PAGE)
        found = queries.remarks(person_of(request).pk, post_id, before=_place_of(request), limit=limit)

        def place(one: Remark) -> Place:
            return Place(one.comment.created_at, one.comment.pk)

        items, after = page(found, limit, place)
        return Response({"items": [comment_json(one) for one in items], "next": after})

    @extend_schema(request=CommentBody, responses={201: CommentShape, 200: CommentShape})
    def post(self, request: Request, post_id: UUID) -> Response:
        """Comments on a post. 201, or 200 where this very comment was there already."""
        body = CommentBody(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        me = person_of(request).pk
        kept, new = actions.comment(
            person_id=me, post_id=post_id, comment_id=data["id"], text=data["text"], reply_to=data["reply_to"]
        )
        return Response(comment_json(queries.remark_of(me, kept)), status=201 if new else 200)


class OneComment(ApiView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, comment_id: UUID) -> Response:
        """Takes away a comment of one's own, or one under one's own post."""
        actions.delete_comment(person_id=person_of(request).pk, comment_id=comment_id)
        return Response(status=204)


class Pictures(ApiView):
    parser_classes = [MultiPartParser]

    @extend_schema(request={"multipart/form-data": UploadBody}, responses={201: PictureShape})
    def post(self, request: Request) -> Response:
        """Uploads one picture for a post to come."""
        body = UploadBody(data=request.data)
        body.is_valid(raise_exception=True)
        picture = actions.upload_picture(person_id=person_of(request).pk, upload=body.validated_data["file"])
        return Response(picture_json(picture), status=201)


class OnePicture(ApiView):
    @extend_schema(
        responses={(200, pictures.CONTENT_TYPE): OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("size", str, enum=["full", "thumb"])],
    )
    def get(self, request: Request, picture_id: UUID) -> HttpResponse:
        """A picture's bytes, for who may see its post."""
        asked = request.query_params.get("size", "full")
        if asked not in ("full", "thumb"):
            raise Invalid(fields={"size": "full | thumb"})
        size: pictures.Size = "thumb" if asked == "thumb" else "full"
        body = access.picture_for(person_of(request).pk, picture_id, size, now())
        return picture_answer(request, picture_id, size, body)


class UnseenCount(ApiView):
    @extend_schema(responses=UnseenShape)
    def get(self, request: Request) -> Response:
        """What is new since the person last looked."""
        found = queries.unseen(person_of(request).pk)
        return Response({"posts": found.posts, "reactions": found.reactions})


class Seen(ApiView):
    @extend_schema(request=SeenBody, responses={204: None})
    def post(self, request: Request) -> Response:
        """Notes how far the person has seen the feed."""
        body = SeenBody(data=request.data)
        body.is_valid(raise_exception=True)
        actions.mark_seen(person_id=person_of(request).pk, upto=body.validated_data["upto"])
        return Response(status=204)


class Settings(ApiView):
    @extend_schema(responses=SettingsShape)
    def get(self, request: Request) -> Response:
        """How far back friends may look."""
        return Response({"window": actions.profile_of(person_of(request).pk).window})

    @extend_schema(request=SettingsBody, responses=SettingsShape)
    def patch(self, request: Request) -> Response:
        """Says how far back friends may look."""
        body = SettingsBody(data=request.data)
        body.is_valid(raise_exception=True)
        profile = actions.set_window(person_id=person_of(request).pk, window=body.validated_data["window"])
        return Response({"window": profile.window})
