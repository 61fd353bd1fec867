"""What a person does before buying: the risk questionnaire, and opening documents."""

from datetime import date, timedelta
from uuid import UUID

from django.db import connection, transaction

from finance.wealth.access import document_for
from finance.wealth.errors import AssessmentsUsedUp
from finance.wealth.models import Assessment, DocumentOpened
from finance.wealth.questionnaire import MOST_A_DAY, MOST_A_YEAR, VALID_MONTHS, VERSION, assess
from kernel import audit
from kernel.clock import business_date
from kernel.errors import Conflict, Invalid, KeyReused


def _queue(person_id: UUID) -> None:
    """One assessment of a person at a time, so that the count is exact."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"assessment:{person_id}"])


def last_valid_day(taken_on: date) -> date:
    """The day before the same date twelve months later."""
    years, month = divmod(taken_on.month - 1 + VALID_MONTHS, 12)
    first_of_month = date(taken_on.year + years, month + 1, 1)
    next_month = (first_of_month + timedelta(days=32)).replace(day=1)
    length = (next_month - first_of_month).days
    return first_of_month.replace(day=min(taken_on.day, length)) - timedelta(days=1)


@transaction.atomic
def take_assessment(*, assessment_id: UUID, person_id: UUID, answers: dict[str, str]) -> Assessment:
    """Scores a full set of answers and makes the class valid for twelve months.

    The same id with the same answers gives the same assessment. Raises Invalid for incomplete answers, KeyReused for
    an id with other answers, AssessmentsUsedUp beyond 2 on a day or 8 in a calendar year (银保监会 2021 年第 4 号).
    """
    result = assess(answers)
    if result is None:
        raise Invalid(fields={"answers": "incomplete"})
    _queue(person_id)
    before = Assessment.objects.filter(pk=assessment_id).first()
    if before is not None:
        if before.person_id != person_id or before.answers != answers:
            raise KeyReused
        return before
    today = business_date()
    taken = Assessment.objects.filter(person_id=person_id)
    if (
        taken.filter(business_date=today).count() >= MOST_A_DAY
        or taken.filter(business_date__year=today.year).count() >= MOST_A_YEAR
    ):
        raise AssessmentsUsedUp(per_day=MOST_A_DAY, per_year=MOST_A_YEAR)
    score, person_class = result
    assessment = Assessment.objects.create(
        id=assessment_id,
        person_id=person_id,
        questionnaire=VERSION,
        answers=answers,
        score=score,
        person_class=person_class,
        business_date=today,
        valid_until=last_valid_day(today),
    )
    audit.record(
        person_id,
        "wealth.assessment.taken",
        f"assessment:{assessment.pk}",
        {"class": person_class, "score": score, "questionnaire": VERSION},
    )
    return assessment


@transaction.atomic
def mark_opened(*, person_id: UUID, product_id: UUID, document_id: UUID, sha256: str) -> None:
    """Notes that the person had the document with this hash before their eyes. Twice is once.

    Raises NotFound, and Conflict if the text has been replaced or the hash is of another text.
    """
    document = document_for(product_id, document_id)
    if not document.is_current or document.sha256 != sha256:
        raise Conflict
    DocumentOpened.objects.bulk_create(
        [DocumentOpened(person_id=person_id, document=document, sha256=sha256)], ignore_conflicts=True
    )
