"""The forms of identity's pages. A field that a form does not have is refused, never ignored."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, InputRequired, Length, Optional

from xueji.identity.rules import LONGEST_PASSWORD, SHORTEST_PASSWORD, OrganisationKind, ProofRoute
from xueji.identity.wording import INDUSTRY, ORGANISATION_KIND, RESET_KIND, ROLE
from xueji.kernel.actor import Role
from xueji.kernel.errors import Invalid, NotFound
from xueji.rulebook import divisions

_NEEDED = _("请填写此项。")


def _text(label: Any, *more: Any, most: int = 100, **keywords: Any) -> StringField:
    return StringField(label, [InputRequired(_NEEDED), Length(max=most, message=_("内容过长。")), *more], **keywords)


def _password(label: Any, autocomplete: str, **keywords: Any) -> PasswordField:
    checks = [InputRequired(_NEEDED), Length(max=LONGEST_PASSWORD, message=_("内容过长。"))]
    return PasswordField(label, checks, render_kw={"autocomplete": autocomplete}, **keywords)


def places(home: str) -> dict[str, list[SelectChoice]]:
    """Every division to choose from, by province; that of ``home`` first."""
    return {
        province: [SelectChoice(code, f"{name} {code}") for code, name in found]
        for province, found in divisions.choices(home).items()
    }


class StrictForm(FlaskForm):  # type: ignore[misc]
    """Raises Invalid for a field it does not know: a request made by hand gains nothing by adding one."""

    def validate(self, extra_validators: Any = None) -> bool:
        unknown = {*request.form, *request.files} - {*(field.name for field in self), "csrf_token"}
        if unknown:
            raise Invalid(_("表单含有未知的内容。"), fields=sorted(unknown)[:5])
        return bool(super().validate(extra_validators))


class SignInForm(StrictForm):
    """Account and password."""

    account = _text(_("账号"), render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"})
    password = _password(_("密码"), "current-password")


class CodeForm(StrictForm):
    """A code of the second factor, or a recovery code."""

    code = _text(_("验证码"), most=20, render_kw={"autocomplete": "one-time-code", "autocapitalize": "none"})


class NewPasswordForm(StrictForm):
    """A new password, twice."""

    password = _password(
        _("新密码"),
        "new-password",
        description=_("至少%(least)d位；可以是几个不相干的词，不要用常见的密码。", least=SHORTEST_PASSWORD),
    )
    again = _password(_("再输一次新密码"), "new-password")

    def validate(self, extra_validators: Any = None) -> bool:
        if not super().validate(extra_validators):
            return False
        if self.password.data != self.again.data:
            self.again.errors = [_("两次输入的密码不一致。")]
            return False
        return True


class ChangePasswordForm(NewPasswordForm):
    """The same with the one of before."""

    current = _password(_("当前密码"), "current-password")


class ConfirmForm(StrictForm):
    """Something that is asked for again because a session may be held by another."""

    current = _password(_("当前密码"), "current-password")


class RouteForm(StrictForm):
    """How she proves that it is she who studies."""

    route = HiddenField(validators=[AnyOf([route.value for route in ProofRoute])])
    next = HiddenField()


class ConsentForm(StrictForm):
    """That she agrees to the text she was shown."""

    text_version = HiddenField(validators=[InputRequired(_NEEDED)])
    next = HiddenField()


class PhotoForm(StrictForm):
    """One reference photo."""

    photo = FileField(
        _("照片"),
        [FileRequired(_("请选择照片。"))],
        render_kw={"accept": "image/jpeg,image/png,image/webp", "capture": "user"},
    )


class OrganisationForm(StrictForm):
    """A new organisation."""

    name = _text(_("单位名称"), most=120)
    kind = SelectField(
        _("类型"),
        [InputRequired(_NEEDED)],
        choices=[SelectChoice(kind.value, word) for kind, word in ORGANISATION_KIND.items()],
    )
    region = SelectField(_("所在地"), [InputRequired(_NEEDED)], description=_("监管部门选择其辖区。"))
    uscc = StringField(
        _("统一社会信用代码"),
        [Optional(), Length(min=18, max=18, message=_("请填写18位代码。"))],
        filters=[lambda given: (given or "").strip()],
    )

    industry = SelectField(
        _("行业"),
        choices=[SelectChoice("", _("未登记")), *(SelectChoice(code, word) for code, word in INDUSTRY.items())],
        default="",
        description=_("生产经营单位填写；是否高危行业由规定判断。"),
        validate_choice=True,
    )

    def __init__(self, *given: Any, **keywords: Any) -> None:
        super().__init__(*given, **keywords)
        self.region.choices = {"": [SelectChoice("", _("请选择"))], **places("")}

    def organisation_kind(self) -> OrganisationKind:
        """The kind that was chosen."""
        return OrganisationKind(self.kind.data)


class IndustryForm(StrictForm):
    """Which industry an enterprise belongs to."""

    industry = SelectField(
        _("行业"),
        choices=[SelectChoice("", _("未登记")), *(SelectChoice(code, word) for code, word in INDUSTRY.items())],
        default="",
    )


class MembershipForm(StrictForm):
    """A role for somebody in an organisation."""

    organisation_id = SelectField(_("所在单位"), [InputRequired(_NEEDED)], validate_choice=False)
    role = SelectField(
        _("角色"), [InputRequired(_NEEDED)], choices=[SelectChoice(role.value, word) for role, word in ROLE.items()]
    )

    def chosen_role(self) -> Role:
        """The role that was chosen."""
        return Role(self.role.data)

    def organisation(self) -> UUID:
        """Raises NotFound for what is no id."""
        try:
            return UUID(self.organisation_id.data)
        except (TypeError, ValueError) as error:
            raise NotFound from error


class PersonForm(MembershipForm):
    """A new person with her first role."""

    name = _text(_("姓名"), most=40, render_kw={"autocomplete": "off"})
    id_number = _text(_("身份证号码"), most=20, render_kw={"autocomplete": "off", "autocapitalize": "characters"})
    account = _text(_("账号"), most=64, description=_("登录时使用，可填手机号码。"), render_kw={"autocomplete": "off"})


class FindForm(StrictForm):
    """Sent as a form and never as a query: addresses are kept in histories and logs, and this may be a number."""

    q = StringField(_("查找人员"), [Length(max=100)])


class ResetForm(StrictForm):
    """Asking that an account be reset, with a reason."""

    kind = SelectField(
        _("重置什么"),
        [InputRequired(_NEEDED)],
        choices=[SelectChoice(kind.value, sentence) for kind, sentence in RESET_KIND.items()],
    )
    reason = _text(_("申请理由"), most=300, description=_("例如：本人当面说明手机丢失。另一位确认人会看到。"))


class DecisionForm(StrictForm):
    """A decision about two faces that look alike."""

    finding = SelectField(
        _("结论"),
        choices=[
            SelectChoice("two", _("是两个不同的人")),
            SelectChoice("one", _("是同一个人：申请合并两份档案")),
        ],
    )
    reason = _text(_("理由"), most=300)
    stands = StringField(_("保留哪个账号"), [Length(max=36)])

    def stands_id(self) -> UUID | None:
        """None leaves the choice to the rules. Raises NotFound for what is no id."""
        try:
            return UUID(self.stands.data) if self.stands.data else None
        except ValueError as error:
            raise NotFound from error


class JoiningForm(StrictForm):
    """Asking that two files be joined, with a reason."""

    account = _text(
        _("另一份档案的账号"),
        most=64,
        description=_("同一个人的另一个账号。保留在用的一个，另一个在确认后停用。"),
        render_kw={"autocomplete": "off"},
    )
    reason = _text(_("理由"), most=300, description=_("例如：登记时身份证号码录错，本人当面核对。另一位确认人会看到。"))


class CorrectionForm(StrictForm):
    """A name or a number put right, with a reason."""

    name = StringField(
        _("更正后的姓名"), [Optional(), Length(max=64, message=_("内容过长。"))], render_kw={"autocomplete": "off"}
    )
    id_number = StringField(
        _("更正后的身份证号码"),
        [Optional(), Length(max=40, message=_("内容过长。"))],
        render_kw={"autocomplete": "off"},
    )
    reason = _text(
        _("理由"), most=300, description=_("例如：登记时写错一个字，本人出示身份证核对。另一位确认人会看到。")
    )


class PartingForm(StrictForm):
    """Asking that joined files be put apart, with a reason."""

    reason = _text(_("理由"), most=300)
