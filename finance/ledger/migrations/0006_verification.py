"""What was proved of the books, and when."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_whole_entries")]
    operations = [
        migrations.CreateModel(
            name="Verification",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("whole", models.BooleanField()),
                ("upto", models.BigIntegerField()),
                ("entries", models.BigIntegerField()),
                ("postings", models.BigIntegerField()),
                ("took_ms", models.BigIntegerField()),
                ("rule", models.CharField(blank=True, max_length=120)),
                ("subject", models.CharField(blank=True, max_length=80)),
                ("detail", models.CharField(blank=True, max_length=200)),
            ],
        ),
    ]
