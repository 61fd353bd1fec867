"""Who may come through the doors that belong to no app: the API described, and the demonstration's own."""

from tests.architecture.router import ANYONE, PERSON, Route

ROUTES = {
    "GET schema/": Route(ANYONE),
    "GET docs/": Route(ANYONE),
    "GET asyncapi.json": Route(ANYONE),
    "GET frames.json": Route(ANYONE),
    "GET demo/logins": Route(ANYONE),
    "GET demo/clock": Route(PERSON),
    "POST demo/advance": Route(PERSON),
}
