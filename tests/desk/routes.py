"""Who may come through the doors of the desk."""

from tests.architecture.router import PERSON, Route

_ADVISORS, _AGENTS = ("advisor",), ("agent",)
_A_CUSTOMER = {"customer_id": "SELECT %(su)s::text"}
_NOBODYS = {"case_id": "SELECT gen_random_uuid()"}
"""The demo world has no service case of somebody else's that stays; the desk's own tests show the refusal."""

ROUTES = {
    "GET desk/service": Route(PERSON),
    "POST desk/service": Route(PERSON),
    "POST desk/service/conversation": Route(PERSON),
    "POST desk/service/<uuid:case_id>/rating": Route(PERSON, theirs=_NOBODYS, body={"stars": 5}),
    "GET desk/queue": Route(_AGENTS),
    "GET desk/cases": Route(_AGENTS),
    "POST desk/cases/<uuid:case_id>/take": Route(_AGENTS),
    "POST desk/cases/<uuid:case_id>/close": Route(_AGENTS),
    "GET desk/customers": Route(_ADVISORS),
    "GET desk/customers/<uuid:customer_id>": Route(_ADVISORS, theirs=_A_CUSTOMER),
    "GET desk/customers/<uuid:customer_id>/products": Route(_ADVISORS, theirs=_A_CUSTOMER),
    "POST desk/customers/<uuid:customer_id>/conversation": Route(_ADVISORS, theirs=_A_CUSTOMER),
    "POST desk/customers/<uuid:customer_id>/product-cards": Route(_ADVISORS, theirs=_A_CUSTOMER),
    "GET desk/words": Route((*_ADVISORS, *_AGENTS)),
}
