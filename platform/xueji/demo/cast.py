"""Who appears in the demonstration. Every name says that it is invented; no identity number can be anybody's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from xueji.identity.rules import OrganisationKind, ProofRoute
from xueji.kernel.actor import Role


@dataclass(frozen=True)
class House:
    """An organisation."""

    name: str
    kind: OrganisationKind
    region: str


@dataclass(frozen=True)
class CastMember:
    account: str
    name: str
    role: Role
    house: House
    birth: str
    """Date of birth as in an identity number, yyyymmdd."""
    route: ProofRoute | None = None
    """How a trainee proves that it is she."""

    @property
    def id_number(self) -> str:
        """Of a whole province, which nobody is born in, with a serial number set aside for people over a hundred."""
        return with_check_digit(f"220000{self.birth}996")


def with_check_digit(digits: str) -> str:
    """The eighteenth character of an identity number (GB 11643)."""
    weighed = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(digits))
    return digits + "10X98765432"[weighed % 11]


TRAINING_CENTRE = House("虚构安全培训中心", OrganisationKind.INSTITUTION, "220104")
SCHOOL = House("虚构职业技能学校", OrganisationKind.INSTITUTION, "220102")
STATION = House("虚构外地培训站", OrganisationKind.INSTITUTION, "620102")
FACTORY = House("虚构电气制造有限公司", OrganisationKind.ENTERPRISE, "220104")
BUREAU = House("虚构市应急管理局", OrganisationKind.AUTHORITY, "220100")
BUREAU_ELSEWHERE = House("虚构外地应急管理局", OrganisationKind.AUTHORITY, "620100")
OPERATOR = House("虚构平台运营方", OrganisationKind.OPERATOR, "220100")

# The first trainee takes the route without a camera: she can study on any machine at once.
CAST = (
    CastMember("trainee1", "赵虚构", Role.TRAINEE, FACTORY, "19930412", ProofRoute.SUPERVISED),
    CastMember("trainee2", "钱演示", Role.TRAINEE, FACTORY, "19881103", ProofRoute.FACE),
    CastMember("trainee3", "孙样例", Role.TRAINEE, FACTORY, "19960729", ProofRoute.SUPERVISED),
    CastMember("institution", "李假设", Role.INSTITUTION, TRAINING_CENTRE, "19790215"),
    CastMember("enterprise", "周举例", Role.ENTERPRISE, FACTORY, "19841121"),
    CastMember("regulator", "吴示范", Role.REGULATOR, BUREAU, "19810606"),
    CastMember("regulator2", "郑别处", Role.REGULATOR, BUREAU_ELSEWHERE, "19770909"),
    CastMember("inspector", "冯假设", Role.INSPECTOR, BUREAU, "19830517"),
    CastMember("admin", "王管理", Role.ADMINISTRATOR, OPERATOR, "19860318"),
)

_STEMS = "甲乙丙丁戊己庚辛壬癸"


def another_trainee(number: int) -> CastMember:
    """One more on the route without a camera, for when none of the cast is left who can study at once."""
    name = "备演" + "".join(_STEMS[int(digit)] for digit in str(number))
    birth = (date(1990, 1, 1) + timedelta(number)).strftime("%Y%m%d")
    return CastMember(f"trainee{number}", name, Role.TRAINEE, FACTORY, birth, ProofRoute.SUPERVISED)
