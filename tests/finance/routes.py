"""Who may come through the doors of finance, on the app's origin and on the bank's."""

from tests.architecture.router import PERSON, Route

_THEIR_ACCOUNT = {"account_id": "SELECT id FROM ledger_account WHERE owner_id = %(su)s LIMIT 1"}
_THEIR_ORDER = {"order_id": "SELECT id FROM wealth_order WHERE person_id = %(su)s LIMIT 1"}
_THEIR_ALERT = {"alert_id": "SELECT id FROM services_alert WHERE person_id = %(su)s LIMIT 1"}
_SHELF = "the shelf is for everybody who is signed in"

ROUTES = {
    "GET finance/accounts": Route(PERSON),
    "GET finance/accounts/<uuid:account_id>": Route(PERSON, theirs=_THEIR_ACCOUNT),
    "GET finance/accounts/<uuid:account_id>/entries": Route(PERSON, theirs=_THEIR_ACCOUNT),
}
