"""Routes of accounts."""

from django.urls import URLPattern, URLResolver, path, re_path

from accounts.api import agreements, contacts, profile, session

urlpatterns: list[URLPattern | URLResolver] = [
    path("session", session.SessionView.as_view()),
    path("codes", session.CodesView.as_view()),
    path("registrations", session.RegistrationsView.as_view()),
    path("agreements", agreements.AgreementsView.as_view()),
    path("agreements/<slug:kind>", agreements.AgreementView.as_view()),
    path("agreements/<slug:kind>/consent", agreements.ConsentView.as_view()),
    path("password-resets", session.PasswordResetsView.as_view()),
    path("me", profile.MeView.as_view()),
    path("me/password", session.PasswordView.as_view()),
    path("me/avatar", profile.AvatarView.as_view()),
    path("identity", profile.IdentityView.as_view()),
    path("cards", profile.CardsView.as_view()),
    path("cards/<uuid:card_id>", profile.CardView.as_view()),
    re_path(r"^cards/issuers/(?P<prefix>[0-9]{6,8})$", profile.CardIssuerView.as_view()),
    path("devices", profile.DevicesView.as_view()),
    path("devices/<uuid:device_id>", profile.DeviceView.as_view()),
    path("persons/<uuid:person_id>", profile.PersonView.as_view()),
    path("persons/<uuid:person_id>/avatar", profile.PersonAvatarView.as_view()),
    path("contacts", contacts.ContactsView.as_view()),
    path("contacts/requests", contacts.FriendRequestsView.as_view()),
    path("contacts/requests/<uuid:request_id>/accept", contacts.AcceptView.as_view()),
    path("contacts/requests/<uuid:request_id>/decline", contacts.DeclineView.as_view()),
    path("contacts/<uuid:person_id>", contacts.ContactView.as_view()),
]
