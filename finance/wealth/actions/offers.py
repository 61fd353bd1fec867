"""An advisor offers a product to a customer."""

from uuid import UUID

from django.db import transaction

from chat.access import conversation_for
from finance.wealth.access import customer_of, product_for
from finance.wealth.errors import NotSuitable, ProductNotOnSale
from finance.wealth.models import Offer
from finance.wealth.queries import suitability, terms_of
from kernel import audit, jobs
from kernel.clock import business_date
from kernel.errors import KeyReused
from kernel.ids import new_id


@transaction.atomic
def send_product_card(
    *, advisor_id: UUID, customer_id: UUID, conversation_id: UUID, product_id: UUID, client_id: UUID
) -> Offer:
    """Offers a product in the conversation with the advisor's own customer; the card follows through the outbox.

    The same client id again gives the same offer. Raises NotFound for somebody else's customer or conversation,
    ProductNotOnSale, NotSuitable with the reason, KeyReused for a client id of another offer.
    """
    customer_of(advisor_id, customer_id)
    conversation_for(advisor_id, conversation_id)
    conversation_for(customer_id, conversation_id)
    wanted = (customer_id, conversation_id, product_id)
    before = Offer.objects.filter(advisor_id=advisor_id, client_id=client_id).first()
    if before is not None:
        if (before.customer_id, before.conversation_id, before.product_id) != wanted:
            raise KeyReused
        return before
    product = product_for(product_id)
    if not product.on_sale(business_date()):
        raise ProductNotOnSale
    judged = suitability(customer_id, product_id)
    if not judged.ok:
        raise NotSuitable(reason_zh=judged.reason_zh, reason_en=judged.reason_en)
    offer = Offer.objects.create(
        id=new_id(),
        product=product,
        terms=terms_of(product_id),
        advisor_id=advisor_id,
        customer_id=customer_id,
        conversation_id=conversation_id,
        client_id=client_id,
    )
    audit.record(
        advisor_id,
        "wealth.offer.sent",
        f"offer:{offer.pk}",
        {
            "product": product.code,
            "customer": str(customer_id),
            "terms": offer.terms.sha256,
            "risk": product.risk,
            "class": judged.person_class,
        },
    )
    jobs.enqueue("wealth.offer", {"offer_id": str(offer.pk)}, key=str(offer.pk))
    return offer
