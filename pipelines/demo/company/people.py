"""The simulated company's own people and workspaces, as Gong's users and workspaces."""

import random
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pipelines.demo.identifiers import Ids, format_datetime

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


class Names:
    """Draws distinct full names."""

    def __init__(self, rng: random.Random) -> None:
        self._names = [(first, last) for first in _FIRST for last in _LAST]
        rng.shuffle(self._names)

    def draw(self) -> tuple[str, str]:
        """First and last name of somebody new."""
        return self._names.pop()


class Team(NamedTuple):
    """A sales team: its name, its manager and its reps (Gong users)."""

    name: str
    manager: Json
    reps: list[Json]


class Staff(NamedTuple):
    """Everybody Gong lists: the teams, the specialists who join their calls, and all users in listing order."""

    teams: list[Team]
    specialists: list[Json]
    users: list[Json]
    avatar_ids: frozenset[str]


def build_workspaces(ids: Ids) -> list[Json]:
    """Two workspaces; most calls belong to the first."""
    return [
        {"id": ids.draw(), "name": "Sales", "description": "Calls with prospects and customers"},
        {"id": ids.draw(), "name": "Customer Success", "description": "Reviews and renewals"},
    ]


def build_staff(rng: random.Random, ids: Ids, names: Names, until: datetime) -> Staff:
    """Three teams of four reps under a head of sales, specialists, somebody who left, and one avatar."""

    def person(title: str, manager: Json | None, active: bool = True) -> Json:
        created = until - timedelta(days=rng.randrange(150, 1500), milliseconds=rng.randrange(86_400_000))
        return _user(ids.draw(), names.draw(), title, manager, created, rng=rng, active=active)

    head = person("VP Sales", None)
    teams = []
    for name, role in (("West", "Account Executive"), ("East", "Account Executive"), ("Growth", "Sales Development")):
        manager = person(f"Sales Manager {name}", head)
        teams.append(Team(name, manager, [person(role, manager) for _ in range(4)]))
    specialists = [person(t, head) for t in ("Solutions Engineer", "Solutions Engineer", "Customer Success Manager")]
    gone = person("Account Executive", teams[0].manager, active=False)
    avatar = person("Gong Support", None)
    users = [head, *specialists, gone, avatar]
    for team in teams:
        users += [team.manager, *team.reps]
    rng.shuffle(users)
    return Staff(teams, specialists, users, frozenset({avatar["id"]}))


def _user(
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
    dials = "Development" in title
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
