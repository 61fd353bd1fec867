"""What moments leave to the worker."""

from uuid import UUID

from kernel.jobs import Payload, consumer
from moments import actions


@consumer("moments.forget_picture")
def forget_picture(payload: Payload) -> None:
    """A picture was uploaded a day ago."""
    actions.forget_loose_picture(picture_id=UUID(payload["picture_id"]))


@consumer("moments.forget_post_pictures")
def forget_post_pictures(payload: Payload) -> None:
    """A post was deleted."""
    actions.forget_post_pictures(post_id=UUID(payload["post_id"]))
