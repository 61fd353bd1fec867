"""What operators see and do in the admin. Personal data is masked; passwords are never shown or typed here."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import actions, queries
from accounts.errors import NameNotAllowed
from accounts.models import Advising, Identity, Person, StaffChange, StaffRole
from kernel import audit
from kernel.errors import NotAllowed, NotFound, Refusal
from kernel.text import is_name, mask_name

if TYPE_CHECKING:
    # Django's classes take their parameter in the stubs alone.
    PersonPages = admin.ModelAdmin[Person]
    AdvisingPages = admin.ModelAdmin[Advising]
    StaffChangePages = admin.ModelAdmin[StaffChange]
    Roles = admin.TabularInline[StaffRole, Person]
    StaffChangeForm = forms.ModelForm[StaffChange]
    PersonModelForm = forms.ModelForm[Person]
    AdvisingModelForm = forms.ModelForm[Advising]
else:
    PersonPages = AdvisingPages = StaffChangePages = admin.ModelAdmin
    Roles = admin.TabularInline
    StaffChangeForm = PersonModelForm = AdvisingModelForm = forms.ModelForm

MAX_NAME = 40


class AskForm(StaffChangeForm):
    """Roles for somebody who works here, or a new member of staff, who sets their password by a code to their phone."""

    phone_number = forms.RegexField(r"^1[3-9][0-9]{9}\Z", label="手机号(新员工)", required=False)
    wanted = forms.MultipleChoiceField(choices=StaffRole.Role.choices, label="岗位")
    branch = forms.CharField(max_length=40, required=False, label="网点")

    class Meta:
        model = StaffChange
        fields = ["person", "display_name"]
        labels = {"person": "员工(已在职)", "display_name": "姓名(新员工)"}

    operator_id: UUID

    def clean(self) -> dict[str, Any]:
        """Asks; a refusal is said above the form."""
        given = super().clean() or self.cleaned_data
        if self.errors:
            return given
        roles = dict.fromkeys(given["wanted"], given["branch"])
        try:
            if given["person"] is not None:
                asked = actions.ask_for_roles(person_id=given["person"].pk, roles=roles, by=self.operator_id)
            elif is_name(given["display_name"]) and given["phone_number"]:
                asked = actions.ask_for_staff(
                    name=given["display_name"], phone=given["phone_number"], roles=roles, by=self.operator_id
                )
            else:
                raise ValidationError("请选择一位在职员工,或填写新员工的姓名和手机号。")
        except Refusal as refusal:
            raise ValidationError(refusal.message("zh")) from None
        self.instance = asked
        return given

    def _post_clean(self) -> None:
        """The row is there, checked by the action."""


class PersonForm(PersonModelForm):
    """A name, and whether they may sign in. What somebody else changed since the page was opened stays changed."""

    class Meta:
        model = Person
        fields = ["display_name", "is_active"]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for field in self.fields.values():
            # Compared with what the page showed, not with what the row says by now.
            field.show_hidden_initial = True

    def clean_display_name(self) -> str:
        """The same rule as for people who name themselves."""
        name = str(self.cleaned_data["display_name"])
        if "display_name" in self.changed_data and not actions.may_be_called(self.instance.kind, name):
            raise ValidationError(NameNotAllowed().message("zh"))
        return name


class AdvisingForm(AdvisingModelForm):
    """A customer for an advisor who works here; nobody takes one to themselves."""

    class Meta:
        model = Advising
        fields = ["customer", "advisor"]

    operator_id: UUID

    def clean(self) -> dict[str, Any]:
        """What the action would refuse."""
        given = super().clean() or self.cleaned_data
        advisor, customer = given.get("advisor"), given.get("customer")
        if advisor is None or customer is None:
            return given
        if advisor.pk == self.operator_id:
            raise ValidationError(NotAllowed().message("zh"))
        if "advisor" not in queries.roles_of(advisor.pk) or not customer.is_active:
            raise ValidationError(NotFound().message("zh"))
        return given


class OperatorsOnly:
    """Django's own permissions are not used: who holds the role of an operator may, nobody else."""

    roles = frozenset({"operator"})

    def _may(self, request: HttpRequest) -> bool:
        return isinstance(request.user, Person) and not self.roles.isdisjoint(queries.roles_of(request.user.id))

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


class RoleInline(OperatorsOnly, Roles):
    """Roles of a member of staff. One operator takes them away; giving them takes two (StaffChangeAdmin)."""

    model = StaffRole
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here."""
        return False


@admin.register(Person)
class PersonAdmin(OperatorsOnly, PersonPages):
    """People: found by id or shown name; blocked and unblocked. Staff are made by StaffChangeAdmin."""

    form = PersonForm
    list_display = ["display_name", "kind", "masked_phone", "masked_name", "is_active", "created_at"]
    list_filter = ["kind", "is_active"]
    search_fields = ["=id", "display_name"]
    ordering = ["-created_at"]
    list_per_page = 50
    show_full_result_count = False
    fields = ["display_name", "kind", "masked_phone", "masked_name", "is_active", "created_at"]
    readonly_fields = ["kind", "masked_phone", "masked_name", "created_at"]

    def get_inlines(self, request: HttpRequest, obj: Person | None) -> list[Any]:
        """Roles of staff alone."""
        return [RoleInline] if obj is not None and obj.kind == Person.Kind.STAFF else []

    def save_model(self, request: HttpRequest, obj: Person, form: Any, change: bool) -> None:
        """Through the actions, which say so in the audit chain."""
        operator = request.user.pk
        if "display_name" in form.changed_data:
            actions.set_display_name(person_id=obj.pk, name=obj.display_name, by=operator)
        if "is_active" in form.changed_data:
            actions.block_person(person_id=obj.id, blocked=not obj.is_active, by=operator)
        audit.record(operator, "accounts.admin_changed", f"person:{obj.pk}", {"fields": form.changed_data})

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What was taken away, through the action: who loses a role loses at once what hangs on it."""
        for formset in formsets:
            taken = {row.instance.role for row in formset.deleted_forms}
            formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
            if taken:
                actions.take_roles(person_id=form.instance.pk, roles=taken, by=request.user.pk)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Customers register; staff take two."""
        return False

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


@admin.register(StaffChange)
class StaffChangeAdmin(OperatorsOnly, StaffChangePages):
    """Who is to work here, and as what: one operator asks, a second person (operator or checker) decides."""

    roles = frozenset({"operator", "checker"})
    form = AskForm
    fields = ["person", "display_name", "phone_number", "wanted", "branch"]
    raw_id_fields = ["person"]
    list_display = ["whom", "masked_phone", "wanted_roles", "state", "asked_by", "asked_at", "decided_by", "decided_at"]
    list_display_links = None
    list_filter = ["state"]
    list_select_related = ["person", "asked_by", "decided_by"]
    ordering = ["-asked_at"]
    list_per_page = 50
    actions = ["approve", "refuse"]

    def get_form(self, request: HttpRequest, obj: StaffChange | None = None, change: bool = False, **given: Any) -> Any:
        """The form knows who asks."""
        form: Any = super().get_form(request, obj, change=change, **given)
        form.operator_id = request.user.pk
        return form

    def save_model(self, request: HttpRequest, obj: StaffChange, form: Any, change: bool) -> None:
        """It is there: the form's check has asked for it."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit chain has it."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators ask."""
        return isinstance(request.user, Person) and "operator" in queries.roles_of(request.user.id)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A request is decided in the list, and stays as it was asked."""
        return obj is None and self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """And is not taken away."""
        return False

    @admin.display(description="员工")
    def whom(self, change: StaffChange) -> str:
        """The member of staff, or the name of who is to become one."""
        return change.person.display_name if change.person else change.display_name

    @admin.display(description="手机号")
    def masked_phone(self, change: StaffChange) -> str:
        """Of somebody new, while it waits."""
        return f"{change.phone[:3]}****{change.phone[-4:]}" if change.phone else "—"

    @admin.display(description="岗位")
    def wanted_roles(self, change: StaffChange) -> str:
        """The roles with their branch."""
        names = dict(StaffRole.Role.choices)
        return ", ".join(f"{names[role]} {branch}".strip() for role, branch in change.roles.items())

    @admin.action(description="批准所选申请")
    def approve(self, request: HttpRequest, chosen: QuerySet[StaffChange]) -> None:
        """Lets them happen."""
        self._decide(request, chosen, approve=True)

    @admin.action(description="拒绝所选申请")
    def refuse(self, request: HttpRequest, chosen: QuerySet[StaffChange]) -> None:
        """Refuses them."""
        self._decide(request, chosen, approve=False)

    def _decide(self, request: HttpRequest, chosen: QuerySet[StaffChange], *, approve: bool) -> None:
        for change in chosen.order_by("pk"):
            try:
                actions.decide_staff_change(change_id=change.pk, by=UUID(str(request.user.pk)), approve=approve)
            except Refusal as refusal:
                self.message_user(request, f"{self.whom(change)}: {refusal.message('zh')}", messages.ERROR)
            else:
                self.message_user(request, f"{self.whom(change)}: 已办理。", messages.SUCCESS)


@admin.register(Advising)
class AdvisingAdmin(OperatorsOnly, AdvisingPages):
    """Who advises whom; a change ends the old assignment and keeps it."""

    form = AdvisingForm
    list_display = ["customer", "advisor", "since", "until"]
    fields = ["customer", "advisor"]
    raw_id_fields = ["customer", "advisor"]

    def get_form(self, request: HttpRequest, obj: Advising | None = None, change: bool = False, **given: Any) -> Any:
        """The form knows who asks."""
        form: Any = super().get_form(request, obj, change=change, **given)
        form.operator_id = request.user.pk
        return form

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
