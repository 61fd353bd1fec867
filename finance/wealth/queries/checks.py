"""What must be true before a purchase: one list, shown to the person and enforced by the action."""

from dataclasses import dataclass
from uuid import UUID

from finance.ledger import queries as ledger
from finance.ledger import rules
from finance.ledger.models import Account
from finance.wealth.errors import (
    AccountCannotPay,
    BelowMinimum,
    DocumentsUnread,
    NotEnoughMoney,
    NotSuitable,
    OffStep,
    ProductNotOnSale,
    QuotaUsedUp,
    RiskNotAcknowledged,
)
from finance.wealth.models import Document, Product
from finance.wealth.queries.shelf import documents_of
from finance.wealth.queries.suitability import suitabilities
from kernel.clock import business_date
from kernel.errors import Refusal
from kernel.money import yuan


@dataclass(frozen=True)
class Wish:
    """What a person is about to buy; parts that are not chosen yet are None."""

    person_id: UUID
    product: Product
    amount_fen: int | None
    account_id: UUID | None
    risk_sha256: str | None


@dataclass(frozen=True)
class Check:
    """A condition with its outcome; `refusal` says what is wrong and what to do."""

    code: str
    refusal: Refusal | None

    @property
    def ok(self) -> bool:
        """Whether the condition holds."""
        return self.refusal is None


def paying_account(person_id: UUID, account_id: UUID) -> Account | None:
    """The person's own open account that may pay for wealth products, None for any other.

    Which classes may is a row of finance.ledger.rules: a class III account may not (银发〔2016〕302号).
    """
    for account in ledger.accounts_of(person_id):
        if account.pk == account_id:
            may = rules.allows(account.account_class, account.opened_remotely, "out", "wealth")
            return account if may and account.status == "open" else None
    return None


def _suits(wish: Wish) -> Refusal | None:
    judged = suitabilities(wish.person_id, [wish.product])[wish.product.pk]
    if judged.ok:
        return None
    return NotSuitable(reason_zh=judged.reason_zh, reason_en=judged.reason_en)


def _documents(documents: list[tuple[Document, bool]]) -> Refusal | None:
    unread = [document for document, opened in documents if not opened]
    if not unread:
        return None
    return DocumentsUnread(
        titles="、".join(f"《{document.title}》" for document in unread),
        titles_en=", ".join(document.title_en for document in unread),
    )


def _risk(documents: list[tuple[Document, bool]], wish: Wish) -> Refusal | None:
    disclosure = next((document for document, _ in documents if document.kind == Document.Kind.RISK), None)
    acknowledged = disclosure is not None and wish.risk_sha256 == disclosure.sha256
    return None if acknowledged else RiskNotAcknowledged()


def _amount(product: Product, amount_fen: int) -> Refusal | None:
    if amount_fen < product.min_fen:
        return BelowMinimum(minimum=yuan(product.min_fen))
    if (amount_fen - product.min_fen) % product.step_fen:
        return OffStep(step=yuan(product.step_fen))
    return None


def _quota(product: Product, amount_fen: int) -> Refusal | None:
    left = product.quota_fen - product.quota_used_fen
    return None if amount_fen <= left else QuotaUsedUp(left=yuan(left))


def _account(wish: Wish, account_id: UUID) -> Refusal | None:
    account = paying_account(wish.person_id, account_id)
    if account is None:
        return AccountCannotPay()
    available = account.balance_fen - account.held_fen
    if wish.amount_fen is not None and available < wish.amount_fen:
        return NotEnoughMoney(available=yuan(available))
    return None


def purchase_checks(wish: Wish) -> list[Check]:
    """Every condition of a purchase, in the order in which a page shows them."""
    documents = documents_of(wish.person_id, wish.product.pk)
    checks = [
        Check("on_sale", None if wish.product.on_sale(business_date()) else ProductNotOnSale()),
        Check("suitability", _suits(wish)),
        Check("documents", _documents(documents)),
        Check("risk", _risk(documents, wish)),
    ]
    if wish.amount_fen is not None:
        checks.append(Check("amount", _amount(wish.product, wish.amount_fen)))
        checks.append(Check("quota", _quota(wish.product, wish.amount_fen)))
    if wish.account_id is not None:
        checks.append(Check("account", _account(wish, wish.account_id)))
    return checks
