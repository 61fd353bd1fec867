"""What the bank took back says so: a transfer that had been received, a payout that had settled."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0005_without_unread_indexes"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="payout",
            name="payout_finished_has_time",
        ),
        migrations.RemoveConstraint(
            model_name="transfer",
            name="received_names_its_account",
        ),
        migrations.AddField(
            model_name="transfer",
            name="reversed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="payout",
            name="state",
            field=models.CharField(
                choices=[
                    ("accepted", "Accepted"),
                    ("sent", "Sent"),
                    ("settled", "Settled"),
                    ("returned", "Returned"),
                    ("reversed", "Reversed"),
                ],
                default="accepted",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("received", "Received"),
                    ("returned", "Returned"),
                    ("expired", "Expired"),
                    ("reversed", "Reversed"),
                ],
                default="pending",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at__isnull", True), ("state__in", ["accepted", "sent"])),
                    models.Q(("finished_at__isnull", False), ("state__in", ["settled", "returned", "reversed"])),
                    _connector="OR",
                ),
                name="payout_finished_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["received", "reversed"]), ("to_account__isnull", False)),
                    models.Q(
                        models.Q(("state__in", ["received", "reversed"]), _negated=True), ("to_account__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="received_names_its_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reversed_at__isnull", False), ("state", "reversed")),
                    models.Q(models.Q(("state", "reversed"), _negated=True), ("reversed_at__isnull", True)),
                    _connector="OR",
                ),
                name="reversed_has_its_time",
            ),
        ),
    ]
