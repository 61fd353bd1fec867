"""Routes of finance.ledger."""

from django.urls import URLPattern, URLResolver, path

from finance.ledger import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts", api.AccountsView.as_view()),
    path("accounts/<uuid:account_id>", api.AccountView.as_view()),
    path("accounts/<uuid:account_id>/entries", api.EntriesView.as_view()),
    path("accounts/<uuid:account_id>/statements", api.StatementsView.as_view()),
    path("accounts/<uuid:account_id>/statements/<str:month>", api.StatementView.as_view()),
    path("accounts/<uuid:account_id>/statements/<str:month>/pdf", api.StatementPdfView.as_view()),
    path("accounts/<uuid:account_id>/statements/<str:month>/csv", api.StatementCsvView.as_view()),
]
