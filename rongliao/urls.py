"""Routes of the app's origin. Each app brings its own list; a change of the tree stays in its app."""

from django.contrib import admin
from django.urls import include, path, re_path

from rongliao import metrics, pages

handler500 = "kernel.outage.failed"

urlpatterns = [
    path("healthz", pages.alive),
    path("readyz", pages.ready),
    path("metrics", metrics.metrics),
    path("api/", include("rongliao.schema_urls")),
    path("api/", include("accounts.urls")),
    path("api/chat/", include("chat.urls")),
    path("api/moments/", include("moments.urls")),
    path("api/officials/", include("officials.urls")),
    path("api/finance/", include("finance.urls")),
    path("api/desk/", include("desk.urls")),
    path("api/demo/", include("rongliao.demo.urls")),
    path("admin/", admin.site.urls),
    re_path(r"^api/.*$", pages.no_such_api),
    path("sw.js", pages.service_worker),
    path("manifest.webmanifest", pages.manifest),
    re_path(r"^desk(?:/.*)?$", pages.desk),
    re_path(r"^(?!static/).*$", pages.app),
]
