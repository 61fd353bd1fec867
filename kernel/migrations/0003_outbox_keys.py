"""Nobody looks outbox rows up by the beginning of their key, which Django's index for that was for."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("kernel", "0002_roles")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX public.kernel_outboxrow_key_7e699751_like",
            "CREATE INDEX kernel_outboxrow_key_7e699751_like ON public.kernel_outboxrow (key varchar_pattern_ops)",
        )
    ]
