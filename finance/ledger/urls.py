"""Routes of finance.ledger."""

from django.urls import URLPattern, URLResolver, path

from finance.ledger import api, operations_api

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts", api.AccountsView.as_view()),
    path("accounts/<uuid:account_id>", api.AccountView.as_view()),
    path("accounts/<uuid:account_id>/number", api.AccountNumberView.as_view()),
    path("accounts/<uuid:account_id>/balance", api.BalanceView.as_view()),
    path("accounts/<uuid:account_id>/entries", api.EntriesView.as_view()),
    path("accounts/<uuid:account_id>/statements", api.StatementsView.as_view()),
    path("accounts/<uuid:account_id>/statements/<str:month>", api.StatementView.as_view()),
    path("accounts/<uuid:account_id>/statements/<str:month>/pdf", api.StatementPdfView.as_view()),
    path("accounts/<uuid:account_id>/statements/<str:month>/csv", api.StatementCsvView.as_view()),
    path("operations/entries", operations_api.Entries.as_view()),
    path("operations/reversals", operations_api.Reversals.as_view()),
    path("operations/reversals/<uuid:request_id>/approve", operations_api.ReversalApproval.as_view()),
    path("operations/reversals/<uuid:request_id>/refuse", operations_api.ReversalRefusal.as_view()),
    path("operations/reversals/<uuid:request_id>/withdraw", operations_api.ReversalWithdrawal.as_view()),
    path("operations/day-closes", operations_api.DayCloses.as_view()),
    path("operations/day-closes/<str:day>", operations_api.DayCloseOne.as_view()),
]
