"""A confirmed order has shares: `shares > 0` alone is not false where there are none, and a CHECK lets that pass."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("wealth", "0005_product_guards")]
    operations = [
        migrations.RemoveConstraint(model_name="order", name="order_confirmed_with_shares"),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                name="order_confirmed_with_shares",
                condition=Q(state="confirmed", nav__isnull=False, shares__isnull=False, shares__gt=0)
                | (~Q(state="confirmed") & Q(nav__isnull=True, shares__isnull=True)),
            ),
        ),
    ]
