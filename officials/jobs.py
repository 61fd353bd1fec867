"""What service accounts leave to the worker."""

from uuid import UUID

from kernel.jobs import Payload, consumer
from officials import actions


@consumer(actions.TOPIC)
def deliver(payload: Payload) -> None:
    """The next batch of a broadcast."""
    actions.deliver_batch(broadcast_id=UUID(payload["broadcast_id"]))
