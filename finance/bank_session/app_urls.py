"""Routes under /api/finance/, on the app's origin."""

from django.urls import URLPattern, URLResolver, path

from finance.bank_session import app_api

urlpatterns: list[URLPattern | URLResolver] = [
    path("pin", app_api.PinView.as_view()),
    path("receipts", app_api.ReceiptsView.as_view()),
    path("receipts/key", app_api.ReceiptKeyView.as_view()),
    path("receipts/<uuid:receipt_id>/check", app_api.PublicReceiptView.as_view()),
    path("intents/<uuid:intent_id>/receipt", app_api.ReceiptView.as_view()),
    path("intents/<uuid:intent_id>/receipt/file", app_api.ReceiptFileView.as_view()),
    path("intents/<uuid:intent_id>/receipt/pdf", app_api.ReceiptPdfView.as_view()),
    path("passkeys", app_api.PasskeysView.as_view()),
    path("passkeys/<uuid:passkey_id>", app_api.PasskeyView.as_view()),
    path("passkeys/<uuid:passkey_id>/removal", app_api.PasskeyRemovalView.as_view()),
    path("intents/<uuid:intent_id>/open", app_api.HandoffView.as_view()),
    path("bank-sessions", app_api.BankSessionsView.as_view()),
    path("bank-sessions/<uuid:session_id>", app_api.BankSessionView.as_view()),
]
