"""Who may come through the doors of the desk."""

from tests.architecture.router import Route

ROUTES: dict[str, Route] = {}
