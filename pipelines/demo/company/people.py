"""Users and workspaces of the generated company, as Gong returns them."""

import random
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pipelines.demo.identifiers import IdGenerator, format_datetime

Json = dict[str, Any]

COMPANY_NAME = "Brightquay"
DOMAIN = "brightquay.example"

_FIRST = (
    *("Amara", "Ben", "Carla", "Dmitri", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Keiko", "Liam", "Maya"),
    *("Nils", "Oona", "Priya", "Quentin", "Rosa", "Samir", "Tova", "Umar", "Vera", "Wes", "Ximena", "Yusuf", "Zoë"),
    *("Anton", "Bianca", "Cedric", "Dalia", "Emil", "Fiona", "Gustav", "Hana", "Ivo", "Jade", "Kamal", "Lucia"),
)
_LAST = (
    *("Abbott", "Barros", "Castell", "Dorsey", "Ekberg", "Fontaine", "Garner", "Hoang", "Ivers", "Jessop", "Kowal"),
    *("Lindqvist", "Marsh", "Nakata", "Okafor", "Pell", "Quist", "Rahimi", "Sandoval", "Tran", "Ulrich", "Vance"),
    *("Whitlow", "Xu", "Yardley", "Zeller", "Arnaud", "Brandt", "Coyle", "Duarte", "Ellery", "Frisk", "Gallo"),
)


class NamePool:
    """A supply of distinct full names."""

    def __init__(self, rng: random.Random) -> None:
        self._names = [(first, last) for first in _FIRST for last in _LAST]
        rng.shuffle(self._names)

    def draw(self) -> tuple[str, str]:
        """Return a first and last name that was not drawn before."""
        return self._names.pop()


class Team(NamedTuple):
    """A sales team: its name, its manager and its reps (Gong users)."""

    name: str
    manager: Json
    reps: list[Json]


class Staff(NamedTuple):
    """The teams, the specialists who join their calls, all users in listing order, and the ids of avatars."""

    teams: list[Team]
    specialists: list[Json]
    users: list[Json]
    avatar_ids: frozenset[str]


def build_workspaces(ids: IdGenerator) -> list[Json]:
    """Return two workspaces; most calls belong to the first."""
    return [
        {"id": ids.draw(), "name": "Sales", "description": "Calls with prospects and customers"},
        {"id": ids.draw(), "name": "Customer Success", "description": "Reviews and renewals"},
    ]


def build_staff(rng: random.Random, ids: IdGenerator, names: NamePool, until: datetime) -> Staff:
    """Return three teams of four reps, their head, three specialists, a rep who has left, and an avatar."""

    def draw_user(title: str, manager: Json | None, active: bool = True) -> Json:
        created = until - timedelta(days=rng.randrange(150, 1500), milliseconds=rng.randrange(86_400_000))
        return _build_user(ids.draw(), names.draw(), title, manager, created, rng=rng, active=active)

    head = draw_user("VP Sales", None)
    teams = []
    for name, role in (("West", "Account Executive"), ("East", "Account Executive"), ("Growth", "Sales Development")):
        manager = draw_user(f"Sales Manager {name}", head)
        teams.append(Team(name, manager, [draw_user(role, manager) for _ in range(4)]))
    specialists = [draw_user(t, head) for t in ("Solutions Engineer", "Solutions Engineer", "Customer Success Manager")]
    former_rep = draw_user("Account Executive", teams[0].manager, active=False)
    avatar = draw_user("Gong Support", None)
    users = [head, *specialists, former_rep, avatar]
    for team in teams:
        users += [team.manager, *team.reps]
    rng.shuffle(users)
    return Staff(teams, specialists, users, frozenset({avatar["id"]}))


def _build_user(
    user_id: str,
    name: tuple[str, str],
    title: str,
    manager: Json | None,
    created: datetime,
    *,
    rng: random.Random,
    active: bool,
) -> Json:
    first, last = name
    mailbox = f"{first}.{last}".lower().replace("ë", "e")
    dials = "Development" in title or "Executive" in title
    return {
        "id": user_id,
        "emailAddress": f"{mailbox}@{DOMAIN}",
        "created": format_datetime(created, 3),
        "active": active,
        "emailAliases": [f"{first[0].lower()}{last.lower()}@{DOMAIN}"] if rng.random() < 0.2 else [],
        "trustedEmailAddress": None,
        "firstName": first,
        "lastName": last,
        "title": title,
        "phoneNumber": f"+1415555{rng.randrange(10_000):04d}" if rng.random() < 0.7 else None,
        "extension": None,
        "personalMeetingUrls": [f"https://meet.example/{mailbox}"] if rng.random() < 0.5 else [],
        "settings": {
            "webConferencesRecorded": active,
            "preventWebConferenceRecording": False,
            "telephonyCallsImported": dials,
            "emailsImported": active,
            "preventEmailImport": False,
            "nonRecordedMeetingsImported": True,
            "gongConnectEnabled": dials,
        },
        "managerId": manager["id"] if manager else None,
        "meetingConsentPageUrl": None,
        "conferencingProviders": [{"provider": "ZOOM", "isDefault": True}] if rng.random() < 0.6 else None,
        "spokenLanguages": [{"language": "en-US", "primary": True}],
    }
