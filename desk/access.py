"""The only way from an id that somebody sent to a thing at the desk."""

from uuid import UUID

from accounts import queries as people
from desk.errors import NotCustomerOfYours


def own_customer(advisor_id: UUID, customer_id: UUID) -> UUID:
    """The customer's id, if the advisor looks after them now. Raises NotCustomerOfYours otherwise."""
    if people.advisor_of(customer_id) != advisor_id:
        raise NotCustomerOfYours
    return customer_id
