"""A company whose CRM links are incomplete, and the account to which each of its calls belongs."""

from __future__ import annotations

import random

from pipelines.demo.company.calls import Call
from pipelines.demo.server.app import SimulatedGong
from tests.support.companies import public_calls
from tests.support.gong_api import Json

_FREE_MAIL = ("gmail.com", "outlook.com", "gmx.de")
_CONSULTANTS = ("alder.example", "brook.example", "cedar.example")


def find_account_id(call: Call) -> str | None:
    """Return the id of the account that a call is linked to; None without a link."""
    objects = [each for context in call.record.get("context") or () for each in context["objects"]]
    return next((each["objectId"] for each in objects if each["objectType"] == "Account"), None)


def external_parties(call: Call) -> list[Json]:
    """Return the people of the other side with an e-mail address."""
    return [
        party
        for party in call.record["parties"]
        if party.get("affiliation") == "External" and party.get("emailAddress")
    ]


def find_true_accounts(gong: SimulatedGong) -> dict[str, str]:
    """Return the account of each public external call: simulated companies have a domain per account."""
    calls = public_calls(gong)
    domains = {
        _domain(party): account
        for call in calls
        if (account := find_account_id(call)) is not None
        for party in external_parties(call)
    }
    return {
        call.id: domains[_domain(parties[0])]
        for call in calls
        if (parties := external_parties(call)) and _domain(parties[0]) in domains
    }


def remove_link(call: Call) -> None:
    """Remove the records of the CRM from a call and from its people."""
    call.record["context"] = []
    for party in call.record["parties"]:
        party["context"] = []


def blur_links(gong: SimulatedGong, *, unlinked: float, seed: int = 7) -> set[str]:
    """Remove the CRM's links from a share of the calls; let a fifth of people use free mail, and add consultants.

    A third of the calls without a link are with people who are on no other call. A consultant joins a tenth of the
    calls, and works for many accounts.

    Returns:
        The ids of the public calls without a link.
    """
    rng = random.Random(seed)
    addresses: dict[str, str] = {}
    missing = set()
    for call in public_calls(gong):
        if rng.random() < unlinked:
            remove_link(call)
        if find_account_id(call) is None:
            missing.add(call.id)
        are_strangers = call.id in missing and rng.random() < 1 / 3
        for party in external_parties(call):
            address = str(party["emailAddress"])
            if are_strangers:
                address = f"{call.id}.{address}"
            party["emailAddress"] = addresses.setdefault(address, _draw_address(address, rng))
        if rng.random() < 0.1 and external_parties(call):
            call.record["parties"].append(_build_consultant(rng))
    return missing


def _draw_address(address: str, rng: random.Random) -> str:
    name, _, domain = address.partition("@")
    return f"{name}.{domain.partition('.')[0]}@{rng.choice(_FREE_MAIL)}" if rng.random() < 0.2 else address


def _build_consultant(rng: random.Random) -> Json:
    number = rng.randrange(10)
    return {
        "id": str(rng.getrandbits(60)),
        "emailAddress": f"adviser{number}@{rng.choice(_CONSULTANTS)}",
        "name": f"Adviser {number}",
        "speakerId": None,
        "context": [],
        "affiliation": "External",
        "methods": ["Invitee"],
    }


def _domain(party: Json) -> str:
    return str(party["emailAddress"]).rpartition("@")[2].lower()
