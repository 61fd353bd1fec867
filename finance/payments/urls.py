"""Routes of finance.payments, under /api/finance/."""

from django.urls import path

from finance.payments import api

urlpatterns = [
    path("transfers", api.Transfers.as_view()),
    path("transfers/options", api.TransferOptions.as_view()),
    path("transfers/<uuid:transfer_id>", api.TransferOne.as_view()),
    path("transfers/<uuid:transfer_id>/accept", api.TransferAccept.as_view()),
    path("transfers/<uuid:transfer_id>/return", api.TransferReturn.as_view()),
    path("own-transfers", api.OwnTransfers.as_view()),
    path("own-transfers/options", api.OwnTransferOptions.as_view()),
    path("own-transfers/<uuid:transfer_id>", api.OwnTransferOne.as_view()),
    path("accounts/openable", api.OpenableAccounts.as_view()),
    path("accounts/open", api.OpenAccount.as_view()),
    path("accounts/<uuid:account_id>/closing", api.ClosingAccount.as_view()),
    path("payouts", api.Payouts.as_view()),
    path("payouts/options", api.PayoutOptions.as_view()),
    path("payouts/<uuid:payout_id>", api.PayoutOne.as_view()),
    path("clearing-breaks", api.Breaks.as_view()),
    path("clearing-breaks/<uuid:break_id>/retry", api.BreakRetry.as_view()),
]
