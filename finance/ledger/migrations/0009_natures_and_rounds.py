"""What each account is in the balance sheet, where the day is cut, and how far the rounds of the proof have come.

Accounts are not rewritten: the column's default is what customers' accounts are. A server of before opens and closes
as it did.
"""

from uuid import UUID

from django.conf import settings
from django.db import migrations, models
from psycopg import sql

NATURES = {
    "settlement": "asset",
    "clearing-in": "asset",
    "clearing-out": "liability",
    "wealth-clearing": "liability",
    "demo-opening": "equity",
}

GUARD = """
CREATE OR REPLACE FUNCTION public.ledger_account_is_one_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.type, NEW.nature) IS DISTINCT FROM (OLD.id, OLD.type, OLD.nature) THEN
        RAISE EXCEPTION 'account % stays what it is: postings name it', OLD.id USING ERRCODE = 'RL000';
    END IF;
    IF (CASE NEW.type
        WHEN 'customer' THEN NEW.owner_id IS NOT NULL AND NEW.account_class IS NOT NULL AND NEW.code IS NULL
            AND NEW.number IS NOT NULL AND NEW.number_index IS NOT NULL AND NEW.nature = 'liability'
        WHEN 'internal' THEN NEW.owner_id IS NULL AND NEW.account_class IS NULL AND NEW.code IS NOT NULL
            AND NEW.number IS NULL AND NEW.number_index IS NULL
            AND NEW.nature IN ('asset', 'liability', 'equity', 'income', 'expense')
        END) IS NOT TRUE THEN
        RAISE EXCEPTION 'account % is neither a customer''s nor one of the bank''s own', NEW.id
            USING ERRCODE = '23514', CONSTRAINT = 'ledger_account_kind';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER ledger_account_kind ON public.ledger_account;
CREATE TRIGGER ledger_account_kind
    BEFORE INSERT OR UPDATE OF id, type, nature, owner_id, account_class, code, number, number_index
    ON public.ledger_account FOR EACH ROW EXECUTE FUNCTION public.ledger_account_is_one_kind();
"""


def name(apps, schema_editor):
    Account = apps.get_model("ledger", "Account")
    for code, nature in NATURES.items():
        Account.objects.filter(code=code).update(nature=nature)


def grant(apps, schema_editor):
    role = sql.Identifier(settings.APP_DATABASE_ROLE)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(sql.SQL("GRANT UPDATE (late) ON ledger_dayclose TO {}").format(role))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0008_past_and_reversals")]
    operations = [
        migrations.AddField(
            model_name="account",
            name="nature",
            field=models.CharField(
                choices=[
                    ("asset", "Asset"),
                    ("liability", "Liability"),
                    ("equity", "Equity"),
                    ("income", "Income"),
                    ("expense", "Expense"),
                ],
                db_default="liability",
                max_length=9,
            ),
        ),
        migrations.AddField(model_name="dayclose", name="cut", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="dayclose", name="late", field=models.BigIntegerField(db_default=0)),
        migrations.AddField(model_name="verification", name="again", field=models.BigIntegerField(db_default=0)),
        migrations.CreateModel(
            name="ProofCursor",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("account_after", models.UUIDField(default=UUID(int=0))),
                ("accounts", models.BigIntegerField(default=0)),
                ("entry_after", models.UUIDField(default=UUID(int=0))),
                ("posting_after", models.BigIntegerField(default=0)),
                ("sums", models.JSONField(default=dict)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(id=1), name="ledger_one_cursor")],
            },
        ),
        migrations.RunPython(name, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
    ]
