"""Who may come through the doors of accounts."""

from tests.architecture.router import ANYONE, PERSON, Route

_CARD = "shown to whoever is signed in: name, picture and seal, nothing else"
_THEIR_DEVICE = {"device_id": "SELECT id FROM accounts_device WHERE person_id = %(su)s"}
_THEIR_REQUEST = {"request_id": "SELECT id FROM accounts_friendrequest WHERE receiver_id = %(su)s"}
_A_FRIEND_OF_OTHERS = {"person_id": "SELECT %(shen)s::text"}

ROUTES = {
    "GET session": Route(ANYONE),
    "POST session": Route(ANYONE),
    "DELETE session": Route(ANYONE),
    "POST codes": Route(ANYONE),
    "POST registrations": Route(ANYONE),
    "POST password-resets": Route(ANYONE),
    "GET agreements": Route(ANYONE),
    "GET agreements/<slug:kind>": Route(ANYONE),
    "POST agreements/<slug:kind>/consent": Route(PERSON),
    "GET me": Route(PERSON),
    "PATCH me": Route(PERSON),
    "POST me/password": Route(PERSON),
    "POST me/avatar": Route(PERSON),
    "POST identity": Route(PERSON),
    "GET cards": Route(PERSON),
    "POST cards": Route(PERSON),
    "GET ^cards/issuers/(?P<prefix>[0-9]{6,8})$": Route(PERSON),
    "DELETE cards/<uuid:card_id>": Route(
        PERSON, theirs={"card_id": "SELECT id FROM accounts_bankcard WHERE person_id = %(jiang)s"}
    ),
    "GET devices": Route(PERSON),
    "DELETE devices/<uuid:device_id>": Route(PERSON, theirs=_THEIR_DEVICE),
    "GET persons/<uuid:person_id>": Route(PERSON, open_to_all=_CARD),
    "GET persons/<uuid:person_id>/avatar": Route(PERSON, open_to_all=_CARD),
    "GET contacts": Route(PERSON),
    "GET contacts/requests": Route(PERSON),
    "POST contacts/requests": Route(PERSON),
    "POST contacts/requests/<uuid:request_id>/accept": Route(PERSON, theirs=_THEIR_REQUEST, body={"x": 1}),
    "POST contacts/requests/<uuid:request_id>/decline": Route(PERSON, theirs=_THEIR_REQUEST, body={"x": 1}),
    "PATCH contacts/<uuid:person_id>": Route(PERSON, theirs=_A_FRIEND_OF_OTHERS, body={"remark": "x"}),
    "DELETE contacts/<uuid:person_id>": Route(PERSON, theirs=_A_FRIEND_OF_OTHERS),
}
