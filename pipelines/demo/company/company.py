"""A seeded, believable software company: everything the simulated Gong serves."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from pipelines.demo.company.accounts import Account, build_accounts
from pipelines.demo.company.calls import Call, Cast, Surroundings, build_call
from pipelines.demo.company.library import LibraryFolder, build_library
from pipelines.demo.company.people import COMPANY_NAME, Names, Staff, Team, build_staff, build_workspaces
from pipelines.demo.company.settings import Settings, build_settings, call_outcomes
from pipelines.demo.identifiers import ZONE, Ids

Json = dict[str, Any]

_KIND_BY_STAGE: dict[str, tuple[str, ...]] = {
    "Prospecting": ("dialer", "dialer", "dialer", "discovery", "discovery"),
    "Qualification": ("dialer", "discovery", "discovery", "demo", "demo"),
    "Evaluation": ("dialer", "demo", "demo", "deep dive", "deep dive"),
    "Negotiation": ("dialer", "deep dive", "negotiation", "negotiation"),
    "Closed Won": ("review", "review", "dialer"),
    "Closed Lost": ("dialer", "discovery"),
}


@dataclass(frozen=True)
class Recording:
    """A recording that was sent for a call: its length in bytes, and their SHA-256 in hexadecimal."""

    size: int
    sha256: str


@dataclass
class Company:
    """What a Gong tenant knows. `until` is the company's present; nothing in it happened later.

    `recordings` are those that were sent, by call.
    """

    name: str
    until: datetime
    users: list[Json] = field(default_factory=list)
    avatar_ids: frozenset[str] = frozenset()
    workspaces: list[Json] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    folders: list[LibraryFolder] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)
    recordings: dict[str, Recording] = field(default_factory=dict)


def build_company(
    *,
    calls: int = 600,
    seed: int = 7,
    until: datetime,
    days: int = 120,
    sentences: int | None = None,
    office_hours: bool = True,
) -> Company:
    """A company with that many calls over the `days` before `until` (time-zone aware); same arguments, same company.

    With `sentences` every call has a transcript of exactly that many sentences; otherwise the kind of call
    decides, and some are too short for one. Without `office_hours` people talk at any hour of any day, and another
    `until` moves the company in time and changes nothing else about it.
    """
    rng = random.Random(seed)
    ids, names = Ids(rng), Names(rng)
    workspaces = build_workspaces(ids)
    staff = build_staff(rng, ids, names, until)
    accounts = build_accounts(rng, names, count=60, until=until, days=days)
    settings = build_settings(rng, ids, staff, workspaces, until)
    around = Surroundings(staff, workspaces, settings.tracker_ids, call_outcomes(settings), until, sentences)
    working_days = _working_days(until, days) if office_hours else []
    made = []
    for _ in range(calls):
        account = rng.choice(accounts)
        scheduled = _moment(rng, working_days, until, days, sentences)
        kind = "standup" if rng.random() < 0.12 else rng.choice(_KIND_BY_STAGE[account.step_at(scheduled).stage])
        team = staff.teams[int(account.opportunity_id[-1], 36) % 2]
        if kind == "dialer":
            kind = "voicemail" if rng.random() < 0.1 else kind
            scheduled += timedelta(seconds=rng.randrange(1800))
            team = staff.teams[2]
        cast = _cast(rng, kind, account, team, staff)
        made.append(
            build_call(
                rng, ids, around, kind=kind, account=account, team_name=team.name, cast=cast, scheduled=scheduled
            )
        )
    rng.shuffle(made)
    folders = build_library(rng, ids, staff, workspaces, calls=made, until=until)
    settings.score(rng, ids, staff, made, until)
    return Company(COMPANY_NAME, until, staff.users, staff.avatar_ids, workspaces, made, folders, settings)


def _working_days(until: datetime, days: int) -> list[datetime]:
    """Local midnights of the weekdays in the span, or of every day where a short span has none."""
    last = until.astimezone(ZONE).date()
    span = [last - timedelta(days=back) for back in range(days)]
    kept = [day for day in span if day.weekday() < 5] or span
    return [datetime.combine(day, time(), ZONE) for day in kept]


def _moment(
    rng: random.Random, working_days: list[datetime], until: datetime, days: int, sentences: int | None
) -> datetime:
    """A half hour of the working days, or any minute where there are none; early enough to be over by `until`."""
    longest = timedelta(hours=1.5 + (sentences or 0) / 400)
    earliest = until - timedelta(days=days)
    for _ in range(40 if working_days else 0):
        day = rng.choice(working_days)
        moment = datetime.combine(day.date(), time(rng.choice((8, 9, 9, 10, 10, 11, 13, 14, 15, 16))), ZONE)
        moment += timedelta(minutes=rng.choice((0, 0, 30)))
        if earliest <= moment <= until - longest:
            return moment.astimezone(UTC)
    return (until - longest - timedelta(minutes=rng.randrange(60 * 24 * max(days - 1, 1)))).astimezone(UTC)


def _cast(rng: random.Random, kind: str, account: Account, team: Team, staff: Staff) -> Cast:
    if kind == "standup":
        return Cast(team.manager, list(team.reps[: rng.randint(2, 3)]))
    contacts = rng.sample(account.contacts, len(account.contacts))
    host = staff.specialists[2] if kind == "review" and rng.random() < 0.5 else rng.choice(team.reps)
    if kind in ("dialer", "voicemail"):
        return Cast(host, customers=contacts[:1])
    came = rng.randint(1, min(3, len(contacts)))
    colleagues = [rng.choice(staff.specialists[:2])] if rng.random() < 0.6 else []
    if rng.random() < 0.15:
        colleagues.append(team.manager)
    return Cast(host, colleagues, contacts[:came], contacts[came : came + rng.randrange(3)])
