"""Confirmations are only added to, by anybody; intents and PIN counters are never removed by the server."""

from django.conf import settings
from django.db import migrations
from psycopg import sql

GUARDS = """
CREATE FUNCTION public.bank_session_never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is not possible: confirmations are only added to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'RL000';
END $$;
CREATE TRIGGER bank_session_confirmation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
    ON public.bank_session_confirmation FOR EACH STATEMENT EXECUTE FUNCTION public.bank_session_never();
"""


def keep(apps, schema_editor):
    role = sql.Identifier(settings.APP_DATABASE_ROLE)
    with schema_editor.connection.cursor() as cursor:
        for statement in (
            "REVOKE UPDATE, DELETE, TRUNCATE ON bank_session_confirmation FROM {}",
            "REVOKE DELETE, TRUNCATE ON bank_session_intent, bank_session_pinverifier FROM {}",
        ):
            cursor.execute(sql.SQL(statement).format(role))


class Migration(migrations.Migration):
    dependencies = [("bank_session", "0001_initial"), ("kernel", "0002_roles")]
    operations = [
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
        migrations.RunPython(keep, migrations.RunPython.noop),
    ]
