"""What OpenAPI describes: the API of both origins. Never served; paths say on which origin they live."""

from django.urls import include, path

from rongliao import openapi

__all__ = ["openapi", "urlpatterns"]

urlpatterns = [
    path("api/", include("accounts.urls")),
    path("api/chat/", include("chat.urls")),
    path("api/moments/", include("moments.urls")),
    path("api/officials/", include("officials.urls")),
    path("api/finance/", include("finance.urls")),
    path("api/desk/", include("desk.urls")),
    path("api/demo/", include("rongliao.demo.urls")),
    path("api/bank/", include("finance.bank_session.urls")),
]
