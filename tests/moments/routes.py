"""Who may come through the doors of moments."""

from uuid import uuid4

from tests.architecture.router import PERSON, Route

_POST = "SELECT id FROM moments_post WHERE author_id = %(shen)s LIMIT 1"
_THEIR_POST = {"post_id": _POST}
_THEIR_COMMENT = {"comment_id": "SELECT id FROM moments_comment WHERE author_id IN (%(su)s, %(lin)s) LIMIT 1"}
_THEIR_PICTURE = {
    "picture_id": "SELECT p.picture_id FROM moments_postpicture p JOIN moments_post m ON m.id = p.post_id"
    " WHERE m.author_id = %(shen)s LIMIT 1"
}
_ALBUM = "a stranger's album is an empty page, as of somebody who has posted nothing"

ROUTES = {
    "GET moments/timeline": Route(PERSON),
    "POST moments/posts": Route(PERSON),
    "GET moments/posts/<uuid:post_id>": Route(PERSON, theirs=_THEIR_POST),
    "DELETE moments/posts/<uuid:post_id>": Route(PERSON, theirs=_THEIR_POST),
    "PUT moments/posts/<uuid:post_id>/like": Route(PERSON, theirs=_THEIR_POST, body={"x": 1}),
    "DELETE moments/posts/<uuid:post_id>/like": Route(PERSON, theirs=_THEIR_POST),
    "GET moments/posts/<uuid:post_id>/comments": Route(PERSON, theirs=_THEIR_POST),
    "POST moments/posts/<uuid:post_id>/comments": Route(
        PERSON, theirs=_THEIR_POST, body={"id": str(uuid4()), "text": "hello"}
    ),
    "DELETE moments/comments/<uuid:comment_id>": Route(PERSON, theirs=_THEIR_COMMENT),
    "GET moments/persons/<uuid:person_id>/posts": Route(PERSON, open_to_all=_ALBUM),
    "POST moments/pictures": Route(PERSON),
    "GET moments/pictures/<uuid:picture_id>": Route(PERSON, theirs=_THEIR_PICTURE),
    "GET moments/unseen": Route(PERSON),
    "POST moments/seen": Route(PERSON),
    "GET moments/settings": Route(PERSON),
    "PATCH moments/settings": Route(PERSON),
}
