"""Build one call: metadata, parties, conversation, and Gong's analysis of it."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from pipelines.demo.company import insights
from pipelines.demo.company.accounts import Account, Contact
from pipelines.demo.company.conversation import Subject, generate_conversation
from pipelines.demo.company.dialogue.call_types import CALL_TYPES
from pipelines.demo.company.people import COMPANY_NAME, Staff
from pipelines.demo.company.speech import Speech
from pipelines.demo.identifiers import IdGenerator, format_datetime

Json = dict[str, Any]

DIALER_SYSTEM = "Gong Connect"
WEB_CONFERENCE_SYSTEMS = ("Zoom", "Google Meet", "Microsoft Teams")
_DISPOSITIONS = {"Follow up later": "Callback requested", "Meeting booked": "Connected", "Not interested": "Connected"}
"""Disposition that the phone system records, by outcome of the call."""


@dataclass(slots=True)
class Call:
    """A call as Gong stores it.

    Attributes:
        record: Complete entry of an extensive response: both context timings and every content block.
        transcript_json: Encoded `transcript` array; None if the call has no transcript.
        visible_from: When Gong starts to list the call; None applies the delay of the server's settings.
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
        """The monologues, decoded into a new list; None if the call has no transcript."""
        return None if self.transcript_json is None else msgspec.json.decode(self.transcript_json)


class CompanyContext(NamedTuple):
    """Facts that all calls of a company share."""

    staff: Staff
    workspaces: list[Json]
    tracker_ids: dict[str, str]
    outcomes: list[insights.Outcome]
    until: datetime
    sentence_count: int | None
    speech: Speech


@dataclass(slots=True)
class Participants:
    """The host, colleagues, customers who attended, and invitees who did not."""

    host: Json
    colleagues: list[Json] = field(default_factory=list)
    customers: list[Contact] = field(default_factory=list)
    absentees: list[Contact] = field(default_factory=list)


def build_call(
    rng: random.Random,
    ids: IdGenerator,
    context: CompanyContext,
    *,
    kind: str,
    accounts: Sequence[Account],
    team_name: str,
    participants: Participants,
    scheduled: datetime,
) -> Call:
    """Return a call with everything that Gong would know about it.

    Args:
        rng: Source of random numbers.
        ids: Source of ids.
        context: Facts shared by all calls.
        kind: Key of `CALL_TYPES`.
        accounts: Account that the call is about; several for an internal meeting.
        team_name: Name of the host's team.
        participants: People on the call.
        scheduled: Scheduled time; a dialer call starts at that time.
    """
    call_id = ids.draw()
    account = accounts[0]
    is_by_phone = CALL_TYPES[kind].by_phone
    fixed = {"us": COMPANY_NAME, "host": str(participants.host["firstName"]), "teamname": team_name}
    subjects = [_build_subject(account, fixed, participants, scheduled) for account in accounts]
    names = subjects[0].slots
    outcome = rng.choice(context.outcomes) if kind == "dialer" else None
    parties, speakers = _build_parties(rng, ids, participants, is_by_phone)
    conversation = generate_conversation(
        rng,
        context.speech,
        kind,
        speakers,
        subjects,
        outcome=outcome.name if outcome else None,
        sentence_count=context.sentence_count,
    )
    started = scheduled if is_by_phone else scheduled + timedelta(seconds=_draw_delay_seconds(rng))
    end = started + timedelta(milliseconds=conversation.length)
    system = DIALER_SYSTEM if is_by_phone else rng.choice(WEB_CONFERENCE_SYSTEMS)
    has_video = not (is_by_phone or rng.random() < 0.15)
    is_internal = kind == "standup"
    meta: Json = {
        "id": call_id,
        "url": f"https://us-10000.app.gong.example/call?id={call_id}",
        "title": rng.choice(CALL_TYPES[kind].titles).format_map(names),
        "scheduled": format_datetime(scheduled),
        "started": format_datetime(started, 0 if is_by_phone else rng.choice((0, 2, 3, 3, 3, 6))),
        "duration": conversation.length // 1000 + 1,
        "primaryUserId": participants.host["id"],
        "direction": "Outbound" if is_by_phone else "Conference",
        "system": system,
        "scope": "Internal" if is_internal else "External",
        "media": "Video" if has_video else "Audio",
        "language": "zxx" if kind == "voicemail" else "eng",
        "workspaceId": context.workspaces[kind == "review"]["id"],
        "sdrDisposition": _draw_disposition(rng, kind, outcome),
        "clientUniqueId": None,
        "customData": None,
        "purpose": None,
        "meetingUrl": None if is_by_phone else f"https://meet.example/{call_id[-9:]}",
        "isPrivate": rng.random() < 0.04,
        "calendarEventId": None if is_by_phone else f"{rng.getrandbits(120):030x}",
    }
    sentences = conversation.list_sentences()
    record: Json = {
        "metaData": meta,
        "context": [] if is_internal or rng.random() < 0.08 else account.build_context(scheduled, context.until),
        "parties": parties,
        "interaction": insights.build_interaction(sentences, parties, speakers["H"], conversation.length, has_video),
        "collaboration": {"publicComments": []},
        "media": {"audioUrl": f"/{call_id}.mp3"} | ({"videoUrl": f"/{call_id}.mp4"} if has_video else {}),
    }
    is_conversation = kind != "voicemail"
    if is_conversation and rng.random() > 0.015:
        record["content"] = insights.build_content(
            rng,
            kind,
            conversation,
            sentences=sentences,
            names=names,
            tracker_ids=context.tracker_ids,
            # Reps do not always choose one.
            outcome=outcome if rng.random() < 0.7 else None,
        )
    if is_conversation and rng.random() < 0.06:
        managers = [user for user in context.staff.users if str(user["title"]).startswith(("Sales Manager", "VP"))]
        record["collaboration"]["publicComments"] = insights.build_comments(
            rng, ids, managers, conversation.length, end
        )
    has_transcript = is_conversation or context.sentence_count
    return Call(record, msgspec.json.encode(conversation.build_monologues()) if has_transcript else None)


def _build_subject(account: Account, fixed: dict[str, str], participants: Participants, scheduled: datetime) -> Subject:
    """Return what is said about an account; its buyer is the first customer on the call, or its first contact."""
    buyer = participants.customers[0] if participants.customers else account.contacts[0]
    slots = account.facts | fixed
    slots |= {"buyer": buyer.name.split()[0], "amount": f"{account.stage_at(scheduled).amount:,} dollars"}
    return Subject(slots, account.competitor, account.is_lost)


def _draw_disposition(rng: random.Random, kind: str, outcome: insights.Outcome | None) -> str | None:
    if kind == "voicemail":
        return "Left voicemail"
    if outcome is None or rng.random() < 0.2:
        return None
    return _DISPOSITIONS[outcome.name]


def _draw_delay_seconds(rng: random.Random) -> float:
    """Return the seconds from the scheduled time to the start of the recording, mostly about a minute."""
    if rng.random() < 0.05:
        return rng.uniform(300, 1187)
    return min(max(rng.gauss(55, 70), -137.0), 1187.0)


def _build_parties(
    rng: random.Random, ids: IdGenerator, participants: Participants, is_by_phone: bool
) -> tuple[list[Json], dict[str, str]]:
    """Return the `parties` of a call, and the speaker id by role letter."""
    parties: list[Json] = []
    speakers: dict[str, str] = {}

    def draw_speaker(roles: Iterable[str]) -> str:
        speaker = ids.draw()
        speakers.update(dict.fromkeys(roles, speaker))
        return speaker

    host = participants.host
    for user, roles in zip([host, *participants.colleagues], ("HS", "SB", "BC", "C"), strict=False):
        is_silent = user is not host and bool(participants.customers) and roles != "SB"
        speaker_id = None if is_silent else draw_speaker(roles)
        parties.append(_build_colleague(user, ids.draw(), speaker_id, host is user, rng))
    for number, contact in enumerate(participants.customers):
        speaker_id = None if number > 1 else draw_speaker("BC" if number == 0 else "C")
        parties.append(_build_customer(contact, ids.draw(), speaker_id, ["Attendee"] if is_by_phone else None, rng))
    speakers.setdefault("C", speakers["B"])
    for contact in participants.absentees:
        parties.append(_build_absentee(contact, ids.draw(), rng))
    return parties, speakers


def _build_colleague(user: Json, party_id: str, speaker_id: str | None, is_host: bool, rng: random.Random) -> Json:
    party: Json = {"id": party_id, "emailAddress": user["emailAddress"]}
    party["name"] = f"{user['firstName']} {user['lastName']}"
    party |= {"title": user["title"], "userId": user["id"], "speakerId": speaker_id}
    party["context"] = [{"system": "Salesforce", "objects": [{"objectType": "User", "objectId": f"005{user['id']}"}]}]
    party["affiliation"] = "Internal"
    if user["phoneNumber"]:
        party["phoneNumber"] = user["phoneNumber"]
    party["methods"] = ["Invitee", "Attendee"] if is_host or rng.random() < 0.7 else ["Attendee"]
    return party


def _build_customer(
    contact: Contact, party_id: str, speaker_id: str | None, methods: list[str] | None, rng: random.Random
) -> Json:
    party: Json = {"id": party_id, "emailAddress": contact.email, "name": contact.name}
    if contact.title:
        party["title"] = contact.title
    party["speakerId"] = speaker_id
    fields = [{"name": "Email", "value": contact.email}, {"name": "Do_Not_Call__c", "value": False}]
    crm_object = {"objectType": "Contact", "objectId": contact.crm_id, "fields": fields}
    party["context"] = [{"system": "Salesforce", "objects": [crm_object]}] if rng.random() < 0.85 else []
    party["affiliation"] = "External"
    if contact.phone:
        party["phoneNumber"] = contact.phone
    party["methods"] = methods or (["Invitee", "Attendee"] if rng.random() < 0.8 else ["Attendee"])
    return party


def _build_absentee(contact: Contact, party_id: str, rng: random.Random) -> Json:
    """Return the party of an invitee who did not attend, usually with an address only."""
    party: Json = {"id": party_id, "emailAddress": contact.email}
    if rng.random() < 0.3:
        party["name"] = contact.name
    party |= {"speakerId": None, "context": [], "affiliation": "External" if rng.random() < 0.9 else "Unknown"}
    party["methods"] = ["Invitee"]
    return party
