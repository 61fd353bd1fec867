"""What the server's role may not do, and what nobody may: change a NAV that is public."""

from django.conf import settings
from django.db import migrations
from psycopg import sql

# Never changed and never removed: what somebody saw, answered, ticked.
KEPT = ("wealth_terms", "wealth_assessment", "wealth_documentopened", "wealth_riskacknowledgement")
# Never removed, and changed in these columns alone.
PARTLY = {
    "wealth_document": ("is_current",),
    "wealth_offer": ("state", "revision"),
    "wealth_order": ("state", "finished_at", "nav_id", "shares", "matures_on"),
    "wealth_nav": ("value", "status", "maker_id", "checker_id", "entered_at", "published_at"),
}

NAV_GUARD = """
CREATE FUNCTION wealth_nav_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the NAV of % is public and cannot be changed', OLD.date USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER wealth_nav_guard BEFORE UPDATE OR DELETE ON wealth_nav
    FOR EACH ROW WHEN (OLD.status = 'published') EXECUTE FUNCTION wealth_nav_guard();
"""
NO_NAV_GUARD = "DROP TRIGGER wealth_nav_guard ON wealth_nav; DROP FUNCTION wealth_nav_guard();"


def narrow(apps, schema_editor):
    role = sql.Identifier(settings.APP_DATABASE_ROLE)
    with schema_editor.connection.cursor() as cursor:
        for table in KEPT:
            cursor.execute(sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(sql.Identifier(table), role))
        for table, columns in PARTLY.items():
            name = sql.Identifier(table)
            cursor.execute(sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(name, role))
            listed = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
            cursor.execute(sql.SQL("GRANT UPDATE ({}) ON {} TO {}").format(listed, name, role))


class Migration(migrations.Migration):
    dependencies = [("wealth", "0001_initial"), ("kernel", "0002_roles")]
    operations = [
        migrations.RunSQL(NAV_GUARD, NO_NAV_GUARD),
        migrations.RunPython(narrow, migrations.RunPython.noop),
    ]
