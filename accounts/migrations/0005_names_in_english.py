"""Service accounts have a name for English readers."""

from django.db import migrations, models

# The accounts that every installation has, by the name that they were made with.
NAMES = {"账户变动": "Account alerts", "在线客服": "Customer service"}


def name(apps, schema_editor):
    Person = apps.get_model("accounts", "Person")
    for zh, en in NAMES.items():
        Person.objects.filter(kind="official", display_name=zh, name_en="").update(name_en=en)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_codes_are_for_whoever_asked")]

    operations = [
        migrations.AddField("person", "name_en", models.CharField(blank=True, default="", max_length=40)),
        migrations.RunPython(name, migrations.RunPython.noop),
    ]
