"""Builds one simulated call: its meta data, the people on it, what was said, and Gong's analysis of that."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from pipelines.demo.company import insights
from pipelines.demo.company.accounts import Account, Contact
from pipelines.demo.company.conversation import hold_talk
from pipelines.demo.company.people import COMPANY_NAME, Staff
from pipelines.demo.company.phrases import CALL_TYPES, SLOTS
from pipelines.demo.identifiers import Ids, format_datetime

Json = dict[str, Any]

DIALER_SYSTEM = "Gong Connect"
WEB_CONFERENCE_SYSTEMS = ("Zoom", "Google Meet", "Microsoft Teams")


@dataclass(slots=True)
class Call:
    """A call as Gong holds it.

    `record` is the complete entry of an extensive answer (both context timings, every content block);
    `transcript_json` is the serialised `transcript` array, or None where Gong made none. `visible_from`
    overrides the moment Gong starts to list the call.
    """

    record: Json
    transcript_json: bytes | None = None
    visible_from: datetime | None = None

    @property
    def id(self) -> str:
        """Gong's id of the call."""
        return str(self.record["metaData"]["id"])

    @property
    def transcript(self) -> list[Json] | None:
        """The monologues, as a fresh copy."""
        return None if self.transcript_json is None else msgspec.json.decode(self.transcript_json)


class Surroundings(NamedTuple):
    """What all calls of a company share."""

    staff: Staff
    workspaces: list[Json]
    tracker_ids: dict[str, str]
    outcomes: list[insights.Outcome]
    until: datetime
    sentences: int | None


@dataclass(slots=True)
class Cast:
    """Who takes part: the host, colleagues, customers who came, and invitees who did not."""

    host: Json
    colleagues: list[Json] = field(default_factory=list)
    customers: list[Contact] = field(default_factory=list)
    absent: list[Contact] = field(default_factory=list)


def build_call(
    rng: random.Random,
    ids: Ids,
    around: Surroundings,
    *,
    kind: str,
    account: Account,
    team_name: str,
    cast: Cast,
    scheduled: datetime,
) -> Call:
    """A call of that kind at that time, with everything Gong would know about it."""
    call_id = ids.draw()
    dialer = kind in ("dialer", "voicemail")
    names = {
        "us": COMPANY_NAME,
        "account": account.name,
        "host": cast.host["firstName"],
        "buyer": cast.customers[0].name.split()[0] if cast.customers else cast.colleagues[0]["firstName"],
        "teamname": team_name,
        "product": rng.choice(SLOTS["product"]),
        "system": rng.choice(SLOTS["system"]),
        "amount": f"{account.step_at(scheduled).amount:,} dollars",
    }
    parties, speakers = _parties(rng, ids, cast, dialer)
    talk = hold_talk(rng, kind, speakers, names, around.sentences)
    started = scheduled if dialer else scheduled + timedelta(seconds=_lateness(rng))
    end = started + timedelta(milliseconds=talk.length)
    system = DIALER_SYSTEM if dialer else rng.choice(WEB_CONFERENCE_SYSTEMS)
    audio_only = dialer or rng.random() < 0.15
    standup = kind == "standup"
    meta: Json = {
        "id": call_id,
        "url": f"https://us-10000.app.gong.example/call?id={call_id}",
        "title": rng.choice(CALL_TYPES[kind].titles).format_map(names),
        "scheduled": format_datetime(scheduled),
        "started": format_datetime(started, 0 if dialer else rng.choice((0, 2, 3, 3, 3, 6))),
        "duration": talk.length // 1000 + 1,
        "primaryUserId": cast.host["id"],
        "direction": "Outbound" if dialer else "Conference",
        "system": system,
        "scope": "Internal" if standup else "External",
        "media": "Audio" if audio_only else "Video",
        "language": "zxx" if kind == "voicemail" else "eng",
        "workspaceId": around.workspaces[kind == "review"]["id"],
        "sdrDisposition": rng.choice(("Connected", "Callback requested", "Left voicemail", None)) if dialer else None,
        "clientUniqueId": None,
        "customData": None,
        "purpose": None,
        "meetingUrl": None if dialer else f"https://meet.example/{call_id[-9:]}",
        "isPrivate": rng.random() < 0.04,
        "calendarEventId": None if dialer else f"{rng.getrandbits(120):030x}",
    }
    sentences = talk.sentences()
    record: Json = {
        "metaData": meta,
        "context": [] if standup or rng.random() < 0.08 else account.context(scheduled, around.until),
        "parties": parties,
        "interaction": insights.interaction(sentences, parties, speakers["H"], talk.length, not audio_only),
        "collaboration": {"publicComments": []},
        "media": {"audioUrl": f"/{call_id}.mp3"} | ({} if audio_only else {"videoUrl": f"/{call_id}.mp4"}),
    }
    heard = kind != "voicemail"
    if heard and rng.random() > 0.015:
        outcome = rng.choice(around.outcomes) if dialer and rng.random() < 0.6 else None
        record["content"] = insights.content(
            rng, kind, talk, sentences=sentences, names=names, tracker_ids=around.tracker_ids, outcome=outcome
        )
    if heard and rng.random() < 0.06:
        managers = [u for u in around.staff.users if str(u["title"]).startswith(("Sales Manager", "VP"))]
        record["collaboration"]["publicComments"] = insights.comments(rng, ids, managers, talk.length, end)
    return Call(record, msgspec.json.encode(talk.monologues()) if heard or around.sentences else None)


def _lateness(rng: random.Random) -> float:
    """Seconds between the scheduled time and the recording, mostly about a minute."""
    if rng.random() < 0.05:
        return rng.uniform(300, 1187)
    return min(max(rng.gauss(55, 70), -137.0), 1187.0)


def _parties(rng: random.Random, ids: Ids, cast: Cast, dialer: bool) -> tuple[list[Json], dict[str, str]]:
    """The `parties` of a call, and which speaker id talks in which role."""
    parties: list[Json] = []
    speakers: dict[str, str] = {}

    def speaks_as(roles: Iterable[str]) -> str:
        speaker = ids.draw()
        speakers.update(dict.fromkeys(roles, speaker))
        return speaker

    for user, roles in zip([cast.host, *cast.colleagues], ("HS", "SB", "BC", "C"), strict=False):
        silent = user is not cast.host and bool(cast.customers) and roles != "SB"
        speaker_id = None if silent else speaks_as(roles)
        parties.append(_colleague(user, ids.draw(), speaker_id, cast.host is user, rng))
    for number, contact in enumerate(cast.customers):
        speaker_id = None if number > 1 else speaks_as("BC" if number == 0 else "C")
        parties.append(_customer(contact, ids.draw(), speaker_id, ["Attendee"] if dialer else None, rng))
    speakers.setdefault("C", speakers["B"])
    for contact in cast.absent:
        parties.append(_absentee(contact, ids.draw(), rng))
    return parties, speakers


def _colleague(user: Json, party_id: str, speaker_id: str | None, is_host: bool, rng: random.Random) -> Json:
    party: Json = {"id": party_id, "emailAddress": user["emailAddress"]}
    party["name"] = f"{user['firstName']} {user['lastName']}"
    party |= {"title": user["title"], "userId": user["id"], "speakerId": speaker_id}
    party["context"] = [{"system": "Salesforce", "objects": [{"objectType": "User", "objectId": f"005{user['id']}"}]}]
    party["affiliation"] = "Internal"
    if user["phoneNumber"]:
        party["phoneNumber"] = user["phoneNumber"]
    party["methods"] = ["Invitee", "Attendee"] if is_host or rng.random() < 0.7 else ["Attendee"]
    return party


def _customer(
    contact: Contact, party_id: str, speaker_id: str | None, methods: list[str] | None, rng: random.Random
) -> Json:
    party: Json = {"id": party_id, "emailAddress": contact.email, "name": contact.name}
    if contact.title:
        party["title"] = contact.title
    party["speakerId"] = speaker_id
    fields = [{"name": "Email", "value": contact.email}, {"name": "Do_Not_Call__c", "value": False}]
    known = {"objectType": "Contact", "objectId": contact.crm_id, "fields": fields}
    party["context"] = [{"system": "Salesforce", "objects": [known]}] if rng.random() < 0.85 else []
    party["affiliation"] = "External"
    if contact.phone:
        party["phoneNumber"] = contact.phone
    party["methods"] = methods or (["Invitee", "Attendee"] if rng.random() < 0.8 else ["Attendee"])
    return party


def _absentee(contact: Contact, party_id: str, rng: random.Random) -> Json:
    """An invitee who never came: usually no more than an address."""
    party: Json = {"id": party_id, "emailAddress": contact.email}
    if rng.random() < 0.3:
        party["name"] = contact.name
    party |= {"speakerId": None, "context": [], "affiliation": "External" if rng.random() < 0.9 else "Unknown"}
    party["methods"] = ["Invitee"]
    return party
