"""What operators keep by hand: the exchange's calendar of years that the library lacks."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from accounts import queries as people
from accounts.models import Person
from finance.wealth.models import CalendarYear, ClosedDay
from kernel import audit

if TYPE_CHECKING:
    # Django's classes take their parameter in the stubs alone.
    _DayRows = admin.TabularInline[ClosedDay, CalendarYear]
    _YearPages = admin.ModelAdmin[CalendarYear]
else:
    _DayRows, _YearPages = admin.TabularInline, admin.ModelAdmin


class _Operators:
    """Django's own permissions are not used: who holds the role of an operator may, nobody else."""

    def _may(self, request: HttpRequest) -> bool:
        return isinstance(request.user, Person) and "operator" in people.roles_of(request.user.id)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Sees the section."""
        return self._may(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Sees a row."""
        return self._may(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Makes a row."""
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Changes a row."""
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Removes a closed day that was entered by mistake."""
        return isinstance(obj, CalendarYear) is False and self._may(request)


class ClosedDays(_Operators, _DayRows):
    """The weekdays of a year on which the exchange is closed."""

    model = ClosedDay
    extra = 3


@admin.register(CalendarYear)
class CalendarYears(_Operators, _YearPages):
    """A year with its closed weekdays; no longer provisional once the State Council's notice is entered."""

    list_display = ("year", "is_provisional", "source")
    inlines = (ClosedDays,)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Keeps the days and notes who entered them."""
        super().save_related(request, form, formsets, change)
        year: CalendarYear = form.instance
        days = [day.isoformat() for day in year.closed_days.order_by("date").values_list("date", flat=True)]
        audit.record(
            request.user.pk,
            "wealth.calendar.entered",
            f"calendar:{year.year}",
            {"provisional": year.is_provisional, "closed": days},
        )
