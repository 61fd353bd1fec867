"""What belongs to pages, and no page: a page comes from a view of its own origin, under that origin's policies."""

from wsgiref.headers import Headers

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.middleware import WhiteNoiseMiddleware

PAGES = (".html", ".htm", ".xhtml")


class StaticFiles(WhiteNoiseMiddleware):
    """Serves static files on both origins. It stands before the policies are set, so a page from here would have none:
    any site could frame the bank's sheet.
    """

    def add_file_to_dictionary(self, url: str, path: str, stat_cache: object = None) -> None:
        """Takes a file in, unless it is a page."""
        if not url.lower().endswith(PAGES):
            super().add_file_to_dictionary(url, path, stat_cache=stat_cache)


def harmless(headers: Headers, path: str, url: str) -> None:
    """A drawing that somebody opens by itself is a document too; it runs nothing."""
    if url.lower().endswith(".svg"):
        headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class WithoutPages(StaticFilesConfig):
    """What `collectstatic` gathers for a proxy has no pages either."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, *(f"*{ending}" for ending in PAGES)]
