"""The static files' folders, read once in a process: Django's test clients would each read them anew, which is 40 % of
what tests of requests take.
"""

from typing import Any

from django.conf import settings
from whitenoise.base import StaticFile
from whitenoise.middleware import WhiteNoiseMiddleware

_read = WhiteNoiseMiddleware.add_files_from_finders
_found: dict[tuple[Any, ...], dict[str, StaticFile]] = {}


def add_files(self: WhiteNoiseMiddleware) -> None:
    """WhiteNoise's own, or what it found before with the same settings in the same build."""
    stamp = settings.FRONTEND_DIST / ".source-stamp"
    key = (
        type(self),
        self.static_prefix,
        self.max_age,
        self.add_headers_function,
        *settings.STATICFILES_DIRS,
        stamp.stat().st_mtime_ns if stamp.exists() else 0,
    )
    if key not in _found:
        before = dict(self.files)
        _read(self)
        _found[key] = {url: file for url, file in self.files.items() if before.get(url) is not file}
    self.files.update(_found[key])
