"""Who may come through the doors of finance, on the app's origin and on the bank's."""

from uuid import uuid4

from tests.architecture.router import ANYONE, BANK_SESSION, PERSON, Route

_NOBODYS = "SELECT gen_random_uuid()"
"""For what the demo world has none of: that somebody else's is refused is shown by the area's own tests."""
_THEIR_ACCOUNT = {"account_id": "SELECT id FROM ledger_account WHERE owner_id = %(su)s LIMIT 1"}
_THEIR_MONTH = {**_THEIR_ACCOUNT, "month": "SELECT to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM')"}
_THEIR_ORDER = {"order_id": "SELECT id FROM wealth_order WHERE person_id = %(su)s LIMIT 1"}
_THEIR_OFFER = {"offer_id": _NOBODYS}
_THEIR_ALERT = {"alert_id": "SELECT id FROM services_alert WHERE owner_id = %(su)s LIMIT 1"}
_THEIR_TRANSFER = {
    "transfer_id": "SELECT id FROM payments_transfer WHERE payer_id = %(su)s AND payee_id = %(lin)s LIMIT 1"
}
_THEIR_PAYOUT = {"payout_id": "SELECT id FROM payments_payout WHERE person_id = %(jiang)s LIMIT 1"}
_A_CUSTOMER = {"customer_id": "SELECT %(su)s::text"}
_SHELF = "the shelf is for everybody who is signed in"
_NAV = {"id": str(uuid4()), "product_id": str(uuid4()), "date": "2026-11-20", "value": 10_000}
_DRAFT = {"id": str(uuid4()), "purpose": "off_sale", "product_id": str(uuid4()), "note": "x"}
_OFFER = {name: str(uuid4()) for name in ("client_id", "customer_id", "conversation_id", "product_id")}
_MAKERS, _CHECKERS, _EITHER = ("operator", "product"), ("checker",), ("operator", "product", "checker")
_BOOKS = ("operator", "checker")
_REVERSAL = {"id": str(uuid4()), "entry_id": str(uuid4()), "reason": "x"}

ROUTES = {
    "GET finance/accounts": Route(PERSON),
    "GET finance/accounts/<uuid:account_id>": Route(PERSON, theirs=_THEIR_ACCOUNT),
    "GET finance/accounts/<uuid:account_id>/balance": Route(PERSON, theirs=_THEIR_ACCOUNT),
    "GET finance/accounts/<uuid:account_id>/number": Route(PERSON, theirs=_THEIR_ACCOUNT),
    "GET finance/accounts/<uuid:account_id>/entries": Route(PERSON, theirs=_THEIR_ACCOUNT),
    "GET finance/accounts/<uuid:account_id>/statements": Route(PERSON, theirs=_THEIR_ACCOUNT),
    "GET finance/accounts/<uuid:account_id>/statements/<str:month>": Route(PERSON, theirs=_THEIR_MONTH),
    "GET finance/accounts/<uuid:account_id>/statements/<str:month>/pdf": Route(PERSON, theirs=_THEIR_MONTH),
    "GET finance/accounts/<uuid:account_id>/statements/<str:month>/csv": Route(PERSON, theirs=_THEIR_MONTH),
    "POST finance/accounts/<uuid:account_id>/closing": Route(PERSON, theirs=_THEIR_ACCOUNT, body={"id": str(uuid4())}),
    "GET finance/accounts/openable": Route(PERSON),
    "POST finance/accounts/open": Route(PERSON),
    "GET finance/alert-settings": Route(PERSON),
    "PATCH finance/alert-settings": Route(PERSON),
    "GET finance/alerts/<uuid:alert_id>/balance": Route(PERSON, theirs=_THEIR_ALERT),
    "GET finance/assessment": Route(PERSON),
    "POST finance/assessments": Route(PERSON),
    "GET finance/bank-sessions": Route(PERSON),
    "DELETE finance/bank-sessions": Route(PERSON),
    "DELETE finance/bank-sessions/<uuid:session_id>": Route(PERSON, theirs={"session_id": _NOBODYS}),
    "GET finance/clearing-breaks": Route(("operator", "checker")),
    "POST finance/clearing-breaks/<uuid:break_id>/retry": Route(("operator", "checker"), theirs={"break_id": _NOBODYS}),
    "GET finance/customers/<uuid:customer_id>/shelf": Route(("advisor",), theirs=_A_CUSTOMER),
    "GET finance/offers/<uuid:offer_id>": Route(PERSON, theirs=_THEIR_OFFER),
    "POST finance/offers": Route(("advisor",), body=_OFFER),
    "GET finance/operations/day-closes": Route(_BOOKS),
    "GET finance/operations/day-closes/<str:day>": Route(_BOOKS, theirs={"day": "SELECT '1999-01-01'"}),
    "GET finance/operations/entries": Route(_BOOKS),
    "GET finance/operations/reversals": Route(_BOOKS),
    "POST finance/operations/reversals": Route(("operator",), body=_REVERSAL),
    "POST finance/operations/reversals/<uuid:request_id>/approve": Route(
        _CHECKERS, theirs={"request_id": _NOBODYS}, body={}
    ),
    "POST finance/operations/reversals/<uuid:request_id>/refuse": Route(
        _CHECKERS, theirs={"request_id": _NOBODYS}, body={"reason": "x"}
    ),
    "POST finance/operations/reversals/<uuid:request_id>/withdraw": Route(
        ("operator",), theirs={"request_id": _NOBODYS}, body={}
    ),
    "GET finance/operations/navs": Route(_EITHER),
    "POST finance/operations/navs": Route(_MAKERS, body=_NAV),
    "POST finance/operations/navs/<uuid:nav_id>/approve": Route(_CHECKERS, body={"value": 10_000}),
    "GET finance/operations/products": Route(_EITHER),
    "GET finance/operations/products/<uuid:product_id>": Route(_EITHER, theirs={"product_id": _NOBODYS}),
    "GET finance/operations/product-drafts": Route(_EITHER),
    "POST finance/operations/product-drafts": Route(_MAKERS, body=_DRAFT),
    "GET finance/operations/product-drafts/<uuid:draft_id>": Route(_EITHER, theirs={"draft_id": _NOBODYS}),
    "PUT finance/operations/product-drafts/<uuid:draft_id>": Route(
        _MAKERS, theirs={"draft_id": _NOBODYS}, body={"revision": 1, "note": "x"}
    ),
    "POST finance/operations/product-drafts/<uuid:draft_id>/approve": Route(
        _CHECKERS, theirs={"draft_id": _NOBODYS}, body={"revision": 1}
    ),
    "POST finance/operations/product-drafts/<uuid:draft_id>/return": Route(
        _CHECKERS, theirs={"draft_id": _NOBODYS}, body={"revision": 1, "reason": "x"}
    ),
    "POST finance/operations/product-drafts/<uuid:draft_id>/withdraw": Route(
        _MAKERS, theirs={"draft_id": _NOBODYS}, body={"revision": 1}
    ),
    "POST finance/operations/product-files": Route(_MAKERS),
    "GET finance/operations/product-files/<uuid:file_id>": Route(_EITHER, theirs={"file_id": _NOBODYS}),
    "GET finance/orders": Route(PERSON),
    "POST finance/orders": Route(PERSON),
    "POST finance/orders/checks": Route(PERSON),
    "GET finance/orders/<uuid:order_id>": Route(PERSON, theirs=_THEIR_ORDER),
    "POST finance/orders/<uuid:order_id>/cancel": Route(PERSON, theirs=_THEIR_ORDER, body={"id": str(uuid4())}),
    "GET finance/passkeys": Route(PERSON),
    "POST finance/passkeys": Route(PERSON),
    "PATCH finance/passkeys/<uuid:passkey_id>": Route(PERSON, theirs={"passkey_id": _NOBODYS}, body={"name": "x"}),
    "POST finance/passkeys/<uuid:passkey_id>/removal": Route(
        PERSON, theirs={"passkey_id": _NOBODYS}, body={"id": str(uuid4())}
    ),
    "GET finance/receipts": Route(PERSON),
    "GET finance/receipts/key": Route(ANYONE),
    "POST finance/receipts/<uuid:receipt_id>/check": Route(ANYONE),
    "GET finance/intents/<uuid:intent_id>/receipt": Route(PERSON, theirs={"intent_id": _NOBODYS}),
    "GET finance/intents/<uuid:intent_id>/receipt/file": Route(PERSON, theirs={"intent_id": _NOBODYS}),
    "GET finance/intents/<uuid:intent_id>/receipt/pdf": Route(PERSON, theirs={"intent_id": _NOBODYS}),
    "GET finance/own-transfers/options": Route(PERSON),
    "POST finance/own-transfers": Route(PERSON),
    "GET finance/own-transfers/<uuid:transfer_id>": Route(PERSON, theirs={"transfer_id": _NOBODYS}),
    "GET finance/payouts": Route(PERSON),
    "POST finance/payouts": Route(PERSON),
    "GET finance/payouts/options": Route(PERSON),
    "GET finance/payouts/<uuid:payout_id>": Route(PERSON, theirs=_THEIR_PAYOUT),
    "GET finance/pin": Route(PERSON),
    "POST finance/pin": Route(PERSON),
    "POST finance/intents/<uuid:intent_id>/open": Route(PERSON, theirs={"intent_id": _NOBODYS}),
    "GET finance/products": Route(PERSON),
    "GET finance/products/<uuid:product_id>": Route(PERSON, open_to_all=_SHELF),
    "GET finance/products/<uuid:product_id>/navs": Route(PERSON, open_to_all=_SHELF),
    "GET finance/products/<uuid:product_id>/documents/<uuid:document_id>": Route(PERSON, open_to_all=_SHELF),
    "GET finance/products/<uuid:product_id>/documents/<uuid:document_id>/file": Route(PERSON, open_to_all=_SHELF),
    "POST finance/products/<uuid:product_id>/documents/<uuid:document_id>/opened": Route(PERSON, open_to_all=_SHELF),
    "GET finance/transfers/options": Route(PERSON),
    "POST finance/transfers": Route(PERSON),
    "GET finance/transfers/<uuid:transfer_id>": Route(PERSON, theirs=_THEIR_TRANSFER),
    "POST finance/transfers/<uuid:transfer_id>/accept": Route(
        PERSON, theirs=_THEIR_TRANSFER, body={"account_id": str(uuid4())}
    ),
    "POST finance/transfers/<uuid:transfer_id>/return": Route(PERSON, theirs=_THEIR_TRANSFER, body={"x": 1}),
    "GET finance/wealth": Route(PERSON),
    "GET bank/config": Route(ANYONE),
    "POST bank/sessions": Route(ANYONE),
    "GET bank/session": Route(BANK_SESSION),
    "DELETE bank/session": Route(BANK_SESSION),
    "GET bank/intents/<uuid:intent_id>": Route(BANK_SESSION),
    "POST bank/intents/<uuid:intent_id>/confirm": Route(BANK_SESSION),
    "POST bank/intents/<uuid:intent_id>/cancel": Route(BANK_SESSION),
    "GET bank/intents/<uuid:intent_id>/proof": Route(BANK_SESSION),
    "POST bank/intents/<uuid:intent_id>/proof": Route(BANK_SESSION),
    "POST bank/intents/<uuid:intent_id>/proof/code": Route(BANK_SESSION),
    "GET bank/intents/<uuid:intent_id>/passkey": Route(BANK_SESSION),
    "POST bank/intents/<uuid:intent_id>/passkey": Route(BANK_SESSION),
    "POST bank/pin": Route(BANK_SESSION),
}
