"""Holds that ended without a capture are found by when they did; built while others write."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ledger", "0009_natures_and_rounds")]
    operations = [
        AddIndexConcurrently(
            model_name="hold",
            index=models.Index(
                condition=models.Q(state__in=["released", "expired"]),
                fields=["closed_at"],
                name="ledger_ended_holds",
            ),
        ),
    ]
