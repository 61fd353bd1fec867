"""2027, until the State Council publishes its holidays: the statutory days alone, marked as provisional."""

from datetime import date

from django.db import migrations

YEAR = 2027
SOURCE = "statutory holidays (国务院令第 795 号); bridge days follow the yearly notice"
# 《全国年节及纪念日放假办法》: New Year 1, Spring Festival 4 from its eve, Qingming 1, Labour 2, Dragon Boat 1,
# Mid-Autumn 1, National Day 3. Those that fall on a weekend move to the next weekday.
CLOSED = {
    date(2027, 1, 1): "元旦",
    date(2027, 2, 5): "除夕",
    date(2027, 2, 8): "春节",
    date(2027, 2, 9): "春节(补)",
    date(2027, 2, 10): "春节(补)",
    date(2027, 4, 5): "清明节",
    date(2027, 5, 3): "劳动节(补)",
    date(2027, 5, 4): "劳动节(补)",
    date(2027, 6, 9): "端午节",
    date(2027, 9, 15): "中秋节",
    date(2027, 10, 1): "国庆节",
    date(2027, 10, 4): "国庆节(补)",
    date(2027, 10, 5): "国庆节(补)",
}


def enter(apps, schema_editor):
    year = apps.get_model("wealth", "CalendarYear").objects.create(year=YEAR, is_provisional=True, source=SOURCE)
    closed = apps.get_model("wealth", "ClosedDay")
    closed.objects.bulk_create(closed(date=day, year=year, reason=reason) for day, reason in CLOSED.items())


def remove(apps, schema_editor):
    apps.get_model("wealth", "CalendarYear").objects.filter(year=YEAR).delete()


class Migration(migrations.Migration):
    dependencies = [("wealth", "0002_guards")]
    operations = [migrations.RunPython(enter, remove)]
