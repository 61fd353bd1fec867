"""Who may come through the doors of officials."""

from tests.architecture.router import PERSON, Route

_OPERATORS = ("official_operator",)
_PUBLISHED = "a service account and what it has published are for everybody who is signed in"

ROUTES = {
    "GET officials/": Route(PERSON),
    "GET officials/operations/": Route(_OPERATORS),
    "GET officials/operations/<slug:code>/replies": Route(_OPERATORS),
    "PUT officials/operations/<slug:code>/replies": Route(_OPERATORS),
    "GET officials/operations/<slug:code>/articles": Route(_OPERATORS),
    "PUT officials/operations/<slug:code>/articles": Route(_OPERATORS),
    "POST officials/operations/<slug:code>/pictures": Route(_OPERATORS),
    "GET officials/operations/articles/<uuid:article_id>/broadcast": Route(_OPERATORS),
    "POST officials/operations/articles/<uuid:article_id>/broadcast": Route(_OPERATORS),
    "GET officials/operations/articles/<uuid:article_id>": Route(_OPERATORS),
    "GET officials/articles/<uuid:article_id>": Route(PERSON, open_to_all=_PUBLISHED),
    "GET officials/pictures/<uuid:picture_id>": Route(PERSON, open_to_all=_PUBLISHED),
    "GET officials/persons/<uuid:person_id>": Route(PERSON, open_to_all=_PUBLISHED),
    "GET officials/<slug:code>": Route(PERSON),
    "PUT officials/<slug:code>/follow": Route(PERSON),
    "DELETE officials/<slug:code>/follow": Route(PERSON),
    "POST officials/<slug:code>/menu": Route(PERSON),
    "GET officials/<slug:code>/articles": Route(PERSON),
}
