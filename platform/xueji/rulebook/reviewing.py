"""Who may decide what a check is worth, and when it is decided: what people said about it, taken in order.

Nobody alone takes time from a trainee who has not been heard, and nobody alone gives her time that no picture shows.
The server asks this before it records a word, and the account asks it again of the words in the trace.
"""

from __future__ import annotations

from dataclasses import replace

from xueji.python38 import StrEnum, dataclass
from xueji.rulebook.vocabulary import ReviewOutcome


class Office(StrEnum):
    """On whose behalf somebody looks at a check."""

    INSTITUTION = "institution"
    REGULATOR = "regulator"


class Decision(StrEnum):
    """What people have decided about a check; without one, its own outcome stands."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    STRUCK = "struck"
    """one regulator finds it wrong: the time around it is held until a second person has looked, or she is heard"""


@dataclass(frozen=True, slots=True)
class Word:
    """What one person said about a check."""

    by: str
    office: str
    outcome: str
    """one of `ReviewOutcome`"""


@dataclass(frozen=True, slots=True)
class Case:
    """A check before those who review it."""

    decision: Decision | None = None
    deciders: frozenset[str] = frozenset()
    """whose words the decision rests on"""
    pending: tuple[Word, ...] = ()
    """the last word of each person since, which decided nothing yet"""
    appealed: bool = False
    """whether an appeal of hers waits for an answer"""
    heard: bool = False
    """whether the decision answered an appeal of hers"""
    of_regulator: bool = False
    """whether a regulator found against her: then only a regulator's word lifts it"""


def appeal(case: Case) -> Case:
    """She contests what stands."""
    return replace(case, appealed=True)


def speak(case: Case, word: Word, *, picture: bool) -> Case:
    """What a word makes of the case; ``picture``: whether there is one to look at.

    With her appeal one person decides, but accepting without a picture takes a second. Without her appeal two people
    must say the same. Who decided before is not who answers her appeal. A decision that one person made is open again
    as soon as another contradicts it. A regulator's finding holds at once, and rejects only with a second person.
    """
    if not may_speak(case, word.by):
        return case
    others = tuple(each for each in case.pending if each.by != word.by)
    agreeing = [each for each in others if each.outcome == word.outcome]
    accepts = word.outcome == ReviewOutcome.ACCEPT
    regulators = Office.REGULATOR in {word.office, *(each.office for each in agreeing)}
    alone = case.appealed and (picture or not accepts)
    if (alone or agreeing) and (regulators or not (accepts and case.of_regulator)):
        return Case(
            decision=Decision.ACCEPTED if accepts else Decision.REJECTED,
            deciders=frozenset({word.by, *(each.by for each in agreeing)}),
            heard=case.appealed,
            of_regulator=regulators and not accepts,
        )
    heard = replace(case, pending=(*others, word))
    if word.office == Office.REGULATOR:
        if not accepts and case.decision is not Decision.REJECTED:
            return replace(
                heard, decision=Decision.STRUCK, deciders=frozenset({word.by}), heard=False, of_regulator=True
            )
        if accepts and case.decision is Decision.STRUCK:
            return replace(heard, decision=None, deciders=frozenset(), of_regulator=False)
    if _turned_round(case, word) and not (accepts and case.of_regulator):
        return replace(heard, decision=None, deciders=frozenset(), heard=False)
    return heard


def may_speak(case: Case, by: str) -> bool:
    """Whoever decided is not who looks again."""
    return case.decision not in (Decision.ACCEPTED, Decision.REJECTED) or by not in case.deciders


def _turned_round(case: Case, word: Word) -> bool:
    """Whether one person's decision is contradicted by another."""
    against = {Decision.ACCEPTED: ReviewOutcome.REJECT, Decision.REJECTED: ReviewOutcome.ACCEPT}
    return (
        case.decision in against
        and len(case.deciders) == 1
        and word.by not in case.deciders
        and word.outcome == against[case.decision]
    )


def says_nothing_new(case: Case, word: Word) -> bool:
    """Whether a word changes nothing: it was said by her before, or stands as the decision already."""
    stands = {Decision.ACCEPTED: ReviewOutcome.ACCEPT, Decision.REJECTED: ReviewOutcome.REJECT}
    again = any(each.by == word.by and each.outcome == word.outcome for each in case.pending)
    decided = case.decision is not None and stands.get(case.decision) == word.outcome
    return (again or decided) and not case.appealed
