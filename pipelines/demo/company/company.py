"""A generated software company, identical for the same arguments: everything that the simulated Gong serves."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from pipelines.demo.company.accounts import Account, build_accounts
from pipelines.demo.company.calls import Call, CompanyContext, Participants, build_call
from pipelines.demo.company.company_settings import CompanySettings, build_settings, list_call_outcomes
from pipelines.demo.company.dialogue.call_types import CALL_TYPES
from pipelines.demo.company.library import LibraryFolder, build_library
from pipelines.demo.company.people import COMPANY_NAME, NamePool, Staff, Team, build_staff, build_workspaces
from pipelines.demo.company.speech import Speech
from pipelines.demo.identifiers import TIME_ZONE, IdGenerator

Json = dict[str, Any]

_KIND_BY_STAGE: dict[str, tuple[str, ...]] = {
    "Prospecting": ("dialer", "dialer", "dialer", "discovery", "discovery"),
    "Qualification": ("dialer", "discovery", "discovery", "demo", "demo"),
    "Evaluation": ("check-in", "demo", "demo", "deep dive", "deep dive"),
    "Negotiation": ("check-in", "deep dive", "negotiation", "negotiation"),
    "Closed Won": ("review", "review", "check-in"),
    "Closed Lost": ("loss review", "dialer"),
}
"""Kinds of calls at a stage, the frequent ones several times."""


@dataclass(frozen=True)
class Recording:
    """A recording uploaded for a call: its length in bytes, and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


@dataclass
class Company:
    """The data of one Gong account.

    Attributes:
        name: Name of the company.
        until: The company's present; nothing happened later.
        users: Users as Gong lists them.
        avatar_ids: Ids of users that are avatars.
        workspaces: Workspaces as Gong lists them.
        calls: Calls in an order that is not Gong's.
        folders: Library folders with their content.
        settings: Trackers, scorecards, briefs, call outcomes and audit logs.
        recordings: Uploaded recordings by call id.
    """

    name: str
    until: datetime
    users: list[Json] = field(default_factory=list)
    avatar_ids: frozenset[str] = frozenset()
    workspaces: list[Json] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    folders: list[LibraryFolder] = field(default_factory=list)
    settings: CompanySettings = field(default_factory=CompanySettings)
    recordings: dict[str, Recording] = field(default_factory=dict)


def build_company(
    *,
    calls: int = 600,
    seed: int = 7,
    until: datetime,
    days: int = 120,
    sentences: int | None = None,
    office_hours: bool = True,
    accounts: int = 60,
) -> Company:
    """Return a company; the same arguments return the same company.

    Args:
        calls: Number of calls.
        seed: Seed of the random numbers.
        until: The company's present, with time zone.
        days: Length of the period before `until` in which the calls take place.
        sentences: Number of sentences of every transcript; None lets the kind of call decide, and voicemails then
            have no transcript.
        office_hours: Whether calls take place in office hours only. If not, another `until` moves the company in time
            and changes nothing else.
        accounts: Number of accounts.
    """
    rng = random.Random(seed)
    ids, names = IdGenerator(rng), NamePool(rng)
    workspaces = build_workspaces(ids)
    staff = build_staff(rng, ids, names, until)
    customers = build_accounts(rng, names, count=accounts, until=until, days=days)
    settings = build_settings(rng, ids, staff, workspaces, until)
    outcomes = list_call_outcomes(settings)
    context = CompanyContext(staff, workspaces, settings.tracker_ids, outcomes, until, sentences, Speech(rng))
    working_days = _list_working_days(until, days) if office_hours else []
    built = []
    for _ in range(calls):
        account = rng.choice(customers)
        scheduled = _draw_time(rng, working_days, until, days, sentences)
        kind = "standup" if rng.random() < 0.12 else rng.choice(_KIND_BY_STAGE[account.stage_at(scheduled).stage])
        team = staff.teams[int(account.opportunity_id[-1], 36) % 2]
        if CALL_TYPES[kind].by_phone:
            scheduled += timedelta(seconds=rng.randrange(1800))
        if kind == "dialer":
            team = staff.teams[2]
            kind = "voicemail" if rng.random() < 0.13 else kind
        built.append(
            build_call(
                rng,
                ids,
                context,
                kind=kind,
                accounts=rng.sample(customers, 6) if kind == "standup" else [account],
                team_name=team.name,
                participants=_draw_participants(rng, kind, account, team, staff),
                scheduled=scheduled,
            )
        )
    rng.shuffle(built)
    folders = build_library(rng, ids, staff, workspaces, calls=built, until=until)
    settings.add_reviews_and_logs(rng, ids, staff, built, until)
    return Company(COMPANY_NAME, until, staff.users, staff.avatar_ids, workspaces, built, folders, settings)


def _list_working_days(until: datetime, days: int) -> list[datetime]:
    """Return the local midnights of the weekdays in the period, or of every day if the period has no weekday."""
    last = until.astimezone(TIME_ZONE).date()
    period = [last - timedelta(days=back) for back in range(days)]
    working_days = [day for day in period if day.weekday() < 5] or period
    return [datetime.combine(day, time(), TIME_ZONE) for day in working_days]


def _draw_time(
    rng: random.Random, working_days: list[datetime], until: datetime, days: int, sentences: int | None
) -> datetime:
    """Return a half hour of a working day, or any minute if the list is empty; the call ends before `until`."""
    longest_call = timedelta(hours=1.5 + (sentences or 0) / 400)
    earliest = until - timedelta(days=days)
    for _ in range(40 if working_days else 0):
        day = rng.choice(working_days)
        start = datetime.combine(day.date(), time(rng.choice((8, 9, 9, 10, 10, 11, 13, 14, 15, 16))), TIME_ZONE)
        start += timedelta(minutes=rng.choice((0, 0, 30)))
        if earliest <= start <= until - longest_call:
            return start.astimezone(UTC)
    return (until - longest_call - timedelta(minutes=rng.randrange(60 * 24 * max(days - 1, 1)))).astimezone(UTC)


def _draw_participants(rng: random.Random, kind: str, account: Account, team: Team, staff: Staff) -> Participants:
    if kind == "standup":
        return Participants(team.manager, list(team.reps[: rng.randint(2, 3)]))
    contacts = rng.sample(account.contacts, len(account.contacts))
    host = staff.specialists[2] if kind == "review" and rng.random() < 0.5 else rng.choice(team.reps)
    if CALL_TYPES[kind].by_phone:
        return Participants(host, customers=contacts[:1])
    attendee_count = rng.randint(1, min(3, len(contacts)))
    colleagues = [rng.choice(staff.specialists[:2])] if rng.random() < 0.6 else []
    if rng.random() < 0.15:
        colleagues.append(team.manager)
    absentees = contacts[attendee_count : attendee_count + rng.randrange(3)]
    return Participants(host, colleagues, contacts[:attendee_count], absentees)
