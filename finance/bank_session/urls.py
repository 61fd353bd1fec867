"""Routes under /api/bank/, on the bank's origin alone."""

from django.urls import URLPattern, URLResolver, path

from finance.bank_session import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("config", api.ConfigView.as_view()),
    path("sessions", api.SessionsView.as_view()),
    path("session", api.SessionView.as_view()),
    path("intents/<uuid:intent_id>", api.IntentView.as_view()),
    path("intents/<uuid:intent_id>/confirm", api.ConfirmView.as_view()),
    path("intents/<uuid:intent_id>/cancel", api.CancelView.as_view()),
    path("intents/<uuid:intent_id>/proof", api.ProofView.as_view()),
    path("intents/<uuid:intent_id>/proof/code", api.ProofCodeView.as_view()),
    path("intents/<uuid:intent_id>/passkey", api.PasskeyView.as_view()),
    path("pin", api.PinView.as_view()),
]
