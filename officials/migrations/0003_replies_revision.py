from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("officials", "0002_listed"),
    ]

    operations = [
        migrations.AddField(
            model_name="official",
            name="replies_revision",
            field=models.PositiveIntegerField(default=0),
        ),
    ]
