"""What the server's role may not do with drafts and files, and what nobody may: change a draft that is decided."""

from django.conf import settings
from django.db import migrations
from psycopg import sql

KEPT = ("wealth_documentfile", "wealth_draftstep")
DRAFT = "wealth_productdraft"
DRAFT_COLUMNS = (
    "facts",
    "documents",
    "note",
    "state",
    "revision",
    "maker_id",
    "checker_id",
    "terms_id",
    "product_id",
    "closed_at",
)

DRAFT_GUARD = """
CREATE FUNCTION wealth_draft_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the draft % is decided and cannot be changed', OLD.id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER wealth_draft_guard BEFORE UPDATE OR DELETE ON wealth_productdraft
    FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL) EXECUTE FUNCTION wealth_draft_guard();
"""
NO_DRAFT_GUARD = "DROP TRIGGER wealth_draft_guard ON wealth_productdraft; DROP FUNCTION wealth_draft_guard();"


def narrow(apps, schema_editor):
    role = sql.Identifier(settings.APP_DATABASE_ROLE)
    with schema_editor.connection.cursor() as cursor:
        for table in (*KEPT, DRAFT):
            cursor.execute(sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(sql.Identifier(table), role))
        listed = sql.SQL(", ").join(sql.Identifier(column) for column in DRAFT_COLUMNS)
        cursor.execute(sql.SQL("GRANT UPDATE ({}) ON {} TO {}").format(listed, sql.Identifier(DRAFT), role))


class Migration(migrations.Migration):
    dependencies = [("wealth", "0004_product_drafts")]
    operations = [
        migrations.RunSQL(DRAFT_GUARD, NO_DRAFT_GUARD),
        migrations.RunPython(narrow, migrations.RunPython.noop),
    ]
