"""Grants the server's role what it may do: everything on rows by default; apps revoke what is append-only."""

from django.conf import settings
from django.db import migrations
from psycopg import sql


def grant(apps, schema_editor):
    role = settings.APP_DATABASE_ROLE
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT current_user, EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s)", [role])
        current, exists = cursor.fetchone()
        if not exists:
            raise RuntimeError(f"the role {role} does not exist; see docs/operating.md for the two roles")
        if current == role:
            raise RuntimeError("migrations run as the owner (DATABASE_ROLE=owner), not as the server's role")
        name = sql.Identifier(role)
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {}",
        ):
            cursor.execute(sql.SQL(statement).format(name))


def keep(apps, schema_editor):
    name = sql.Identifier(settings.APP_DATABASE_ROLE)
    with schema_editor.connection.cursor() as cursor:
        for table in ("kernel_auditrow", "kernel_auditlink"):
            cursor.execute(sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(sql.Identifier(table), name))


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.RunPython(keep, migrations.RunPython.noop),
    ]
