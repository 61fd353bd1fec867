"""What each account turned over by day and close, and requests to reverse entries.

Closes from before get their turnover here, in one pass over the postings.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q
from psycopg import sql

TURNOVER = """
INSERT INTO ledger_dayturnover (close_id, account_id, day, amount_fen, postings)
SELECT c.day, p.account_id, (p.at AT TIME ZONE %s)::date, sum(p.amount_fen), count(*)
FROM ledger_posting p JOIN ledger_dayclose c ON p.id > c.since AND p.id <= c.upto
GROUP BY 1, 2, 3
"""

GUARD = """
CREATE FUNCTION public.ledger_reversal_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the reversal request % is decided, or its words are to be changed', OLD.id
        USING ERRCODE = 'RL000';
END $$;
CREATE TRIGGER ledger_reversal_guard BEFORE UPDATE ON public.ledger_reversalrequest FOR EACH ROW
    WHEN (OLD.state <> 'waiting' OR (OLD.id, OLD.entry_id, OLD.maker_id, OLD.reason, OLD.entered_at)
        IS DISTINCT FROM (NEW.id, NEW.entry_id, NEW.maker_id, NEW.reason, NEW.entered_at))
    EXECUTE FUNCTION public.ledger_reversal_guard();
CREATE TRIGGER ledger_reversal_kept BEFORE DELETE OR TRUNCATE ON public.ledger_reversalrequest
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_never();
"""


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(TURNOVER, [settings.BANK_TIME_ZONE])


def grant(apps, schema_editor):
    role = sql.Identifier(settings.APP_DATABASE_ROLE)
    with schema_editor.connection.cursor() as cursor:
        for statement in (
            "REVOKE UPDATE, DELETE, TRUNCATE ON ledger_dayturnover, ledger_reversalrequest FROM {}",
            "GRANT UPDATE (state, checker_id, checker_reason, closed_at, reversal_id) ON ledger_reversalrequest TO {}",
        ):
            cursor.execute(sql.SQL(statement).format(role))


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("ledger", "0007_day_close"),
    ]
    operations = [
        migrations.CreateModel(
            name="DayTurnover",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("amount_fen", models.BigIntegerField()),
                ("postings", models.BigIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.account",
                    ),
                ),
                (
                    "close",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.dayclose",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "day", "close"), name="ledger_turnover_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ReversalRequest",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("reason", models.CharField(max_length=200)),
                ("entered_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("approved", "Approved"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="waiting",
                        max_length=9,
                    ),
                ),
                ("checker_reason", models.CharField(blank=True, default="", max_length=200)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "checker",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.entry"
                    ),
                ),
                (
                    "maker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reversal",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.entry",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["-entered_at", "-id"], name="ledger_reversals")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(("state__in", ["waiting", "approved"])),
                        fields=("entry",),
                        name="ledger_reversal_asked_once",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            ("checker__isnull", True), Q(("checker", F("maker")), _negated=True), _connector="OR"
                        ),
                        name="ledger_reversal_four_eyes",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            Q(
                                ("checker__isnull", True),
                                ("closed_at__isnull", True),
                                ("reversal__isnull", True),
                                ("state", "waiting"),
                            ),
                            Q(
                                ("checker__isnull", False),
                                ("closed_at__isnull", False),
                                ("reversal__isnull", False),
                                ("state", "approved"),
                            ),
                            Q(
                                ("checker__isnull", False),
                                ("closed_at__isnull", False),
                                ("reversal__isnull", True),
                                ("state", "refused"),
                            ),
                            Q(
                                ("checker__isnull", True),
                                ("closed_at__isnull", False),
                                ("reversal__isnull", True),
                                ("state", "withdrawn"),
                            ),
                            _connector="OR",
                        ),
                        name="ledger_reversal_decided",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
