"""Use cases of identity. Each names its arguments; none reads the request."""

from xueji.identity.services.acts import read_acts
from xueji.identity.services.consent import choose_route, give_consent, withdraw_consent
from xueji.identity.services.correcting import ask_correction, confirm_correction, refuse_correction
from xueji.identity.services.duplicates import ask_joining_of_duplicate, compare_with_everybody, decide_duplicate
from xueji.identity.services.face_views import FacePicture, RecordedLook, open_seen, record_look, show_picture
from xueji.identity.services.first_administrator import (
    administrator_at_the_machine,
    create_administrator,
    recover_administrator,
)
from xueji.identity.services.first_codes import MOST_CODES, IssuedCode, issue_codes
from xueji.identity.services.joining import ask_joining, ask_parting, confirm_joining, refuse_joining
from xueji.identity.services.organisations import create_organisation, name_industry
from xueji.identity.services.passwords import HashedPassword, change_password, hash_code, hash_password
from xueji.identity.services.people import (
    add_membership,
    display_name,
    register_person,
    remove_membership,
    restore,
    suspend,
)
from xueji.identity.services.photo_decisions import decide_photo
from xueji.identity.services.photos import (
    delete_photo,
    describe_all_anew,
    describe_anew,
    enrol_photo,
    look_behind,
    remove_deleted_files,
)
from xueji.identity.services.resets import Confirmed, ask_reset, confirm_reset, first_code, issue_again, refuse_reset
from xueji.identity.services.second_factor import begin_totp, begun_totp, confirm_totp, drop_totp
from xueji.identity.services.sessions import end_session, end_sessions, keep_alive, open_session, switch_organisation
from xueji.identity.services.sign_in import (
    Needed,
    SignInResult,
    begin_set_up,
    begun_set_up,
    forget_failures,
    pass_code,
    pass_new_password,
    pass_password,
    pass_set_up,
)
from xueji.identity.vault import person_key

__all__ = [
    "MOST_CODES",
    "Confirmed",
    "FacePicture",
    "HashedPassword",
    "IssuedCode",
    "Needed",
    "RecordedLook",
    "SignInResult",
    "add_membership",
    "administrator_at_the_machine",
    "ask_correction",
    "ask_joining",
    "ask_joining_of_duplicate",
    "ask_parting",
    "ask_reset",
    "begin_set_up",
    "begin_totp",
    "begun_set_up",
    "begun_totp",
    "change_password",
    "choose_route",
    "compare_with_everybody",
    "confirm_correction",
    "confirm_joining",
    "confirm_reset",
    "confirm_totp",
    "create_administrator",
    "create_organisation",
    "decide_duplicate",
    "decide_photo",
    "delete_photo",
    "describe_all_anew",
    "describe_anew",
    "display_name",
    "drop_totp",
    "end_session",
    "end_sessions",
    "enrol_photo",
    "first_code",
    "forget_failures",
    "give_consent",
    "hash_code",
    "hash_password",
    "issue_again",
    "issue_codes",
    "keep_alive",
    "look_behind",
    "name_industry",
    "open_seen",
    "open_session",
    "pass_code",
    "pass_new_password",
    "pass_password",
    "pass_set_up",
    "person_key",
    "read_acts",
    "record_look",
    "recover_administrator",
    "refuse_correction",
    "refuse_joining",
    "refuse_reset",
    "register_person",
    "remove_deleted_files",
    "remove_membership",
    "restore",
    "show_picture",
    "suspend",
    "switch_organisation",
    "withdraw_consent",
]
