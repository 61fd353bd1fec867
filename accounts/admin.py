"""What operators see and do in the admin. Personal data is masked; passwords are never shown or typed here."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts import actions, queries
from accounts.models import Advising, Identity, Person, StaffRole
from kernel import audit
from kernel.text import mask_name


def sign_in_page(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """There is one way to sign in, with one set of counters: the app's page."""
    return HttpResponseRedirect("/sign-in?" + urlencode({"to": request.GET.get("next", "/admin/")}))


def password_page(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """And one way to change a password, which ends the other sessions."""
    return HttpResponseRedirect("/me/password")


admin.site.login = sign_in_page  # type: ignore[method-assign]
admin.site.password_change = password_page  # type: ignore[method-assign, assignment]
admin.site.site_header = admin.site.site_title = "运营后台"


class NewStaffForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new member of staff; they set their password by a code to their phone."""

    phone_number = forms.RegexField(r"^1[3-9][0-9]{9}\Z", label="手机号")
    roles = forms.MultipleChoiceField(choices=StaffRole.Role.choices, label="岗位")
    branch = forms.CharField(max_length=40, required=False, label="网点")

    class Meta:
        model = Person
        fields = ["display_name"]


class OperatorsOnly:
    """Django's own permissions are not used: who holds the role of an operator may, nobody else."""

    def _may(self, request: HttpRequest) -> bool:
        return isinstance(request.user, Person) and "operator" in queries.roles_of(request.user.id)

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
        """Takes a row away."""
        return self._may(request)


class RoleInline(OperatorsOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Roles of a member of staff. Nobody gives themselves one."""

    model = StaffRole
    extra = 0

    def _may_give(self, request: HttpRequest, obj: Any) -> bool:
        return self._may(request) and (obj is None or obj.pk != request.user.pk)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Gives a role."""
        return self._may_give(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Changes a role."""
        return self._may_give(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Takes a role away."""
        return self._may_give(request, obj)


@admin.register(Person)
class PersonAdmin(OperatorsOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """People: found by id or shown name; blocked and unblocked; staff made."""

    list_display = ["display_name", "kind", "masked_phone", "masked_name", "is_active", "created_at"]
    list_filter = ["kind", "is_active"]
    search_fields = ["=id", "display_name"]
    ordering = ["-created_at"]
    list_per_page = 50
    show_full_result_count = False

    def get_form(self, request: HttpRequest, obj: Person | None = None, change: bool = False, **kwargs: Any) -> Any:
        """New: name, phone, roles. Existing: name, and whether they may sign in."""
        if obj is None:
            return NewStaffForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Person | None = None) -> list[Any]:
        """What is shown."""
        if obj is None:
            return ["display_name", "phone_number", "roles", "branch"]
        return ["display_name", "kind", "masked_phone", "masked_name", "is_active", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Person | None = None) -> list[str]:
        """What cannot be changed here."""
        return [] if obj is None else ["kind", "masked_phone", "masked_name", "created_at"]

    def get_inlines(self, request: HttpRequest, obj: Person | None) -> list[Any]:
        """Roles of staff alone."""
        return [RoleInline] if obj is not None and obj.kind == Person.Kind.STAFF else []

    def save_model(self, request: HttpRequest, obj: Person, form: Any, change: bool) -> None:
        """Through the actions, which say so in the audit chain."""
        operator = request.user.pk
        if not change:
            made = actions.create_staff(
                name=form.cleaned_data["display_name"],
                phone=form.cleaned_data["phone_number"],
                password=None,
                roles=form.cleaned_data["roles"],
                branch=form.cleaned_data["branch"],
                by=operator,
            )
            obj.pk = made.pk
            obj._state.adding = False
            obj.refresh_from_db()
            return
        if "display_name" in form.changed_data:
            super().save_model(request, obj, form, change)
        if "is_active" in form.changed_data:
            actions.block_person(person_id=obj.id, blocked=not obj.is_active, by=operator)
        audit.record(operator, "accounts.admin_changed", f"person:{obj.pk}", {"fields": form.changed_data})

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The roles, through the action: who loses one loses at once what hangs on it."""
        for formset in formsets:
            kept = [row for row in formset.cleaned_data if row and not row.get("DELETE")]
            actions.set_roles(
                person_id=form.instance.pk,
                roles={row["role"]: row["branch"] for row in kept},
                by=request.user.pk,
            )
            formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []

    def has_delete_permission(self, request: HttpRequest, obj: Person | None = None) -> bool:
        """People are blocked, not deleted."""
        return False

    @admin.display(description="手机号")
    def masked_phone(self, person: Person) -> str:
        """Three digits, four digits."""
        return f"{person.phone[:3]}****{person.phone[-4:]}" if person.phone else "—"

    @admin.display(description="实名")
    def masked_name(self, person: Person) -> str:
        """The registered name without its first character."""
        identity = Identity.objects.filter(person=person).first()
        return mask_name(str(identity.name)) if identity else "—"


@admin.register(Advising)
class AdvisingAdmin(OperatorsOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Who advises whom; a change ends the old assignment and keeps it."""

    list_display = ["customer", "advisor", "since", "until"]
    fields = ["customer", "advisor"]
    raw_id_fields = ["customer", "advisor"]

    def save_model(self, request: HttpRequest, obj: Advising, form: Any, change: bool) -> None:
        """Through the action."""
        actions.assign_advisor(advisor_id=obj.advisor_id, customer_id=obj.customer_id, by=request.user.pk)
        obj.pk = Advising.objects.get(customer=obj.customer_id, until__isnull=True).pk

    def has_change_permission(self, request: HttpRequest, obj: Advising | None = None) -> bool:
        """A past assignment stays as it was."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Advising | None = None) -> bool:
        """And is not taken away."""
        return False
