"""What the ledger lets apps above it say about its work."""

from collections.abc import Callable
from uuid import UUID

from accounts.ports import Listeners

account_closing: Listeners[Callable[[UUID], None]] = Listeners()
"""(account_id): the account is about to be closed, inside the transaction of it, or whether it could be is asked. Who
still needs it raises a Refusal."""
