"""Kinds of calls, the phases of each, and the values of the slots in the dialogue."""

from __future__ import annotations

from typing import NamedTuple

from pipelines.demo.company.dialogue import (
    additions,
    commercial,
    customers,
    discovery,
    internal,
    opening,
    phone,
    product,
)
from pipelines.demo.company.dialogue.grammar import Phase, Template, parse_text

PHASES: dict[str, Phase] = {}
BANKS: dict[str, tuple[Template, ...]] = {}
for _module in (opening, discovery, product, commercial, customers, internal, phone, additions):
    _phases, _banks = parse_text(_module.TEXT)
    PHASES |= _phases
    BANKS |= _banks


class CallType(NamedTuple):
    """A kind of call.

    Attributes:
        titles: Patterns of its title.
        phases: Phases in order, each with its weight; `outcome` is the phase of a cold call's outcome.
        sentences: Lowest and highest number of sentences.
        brief: Pattern of its summary.
        by_phone: Whether it is a phone call with one customer instead of a web conference.
    """

    titles: tuple[str, ...]
    phases: tuple[tuple[str, int], ...]
    sentences: tuple[int, int]
    brief: str
    by_phone: bool = False


CALL_TYPES: dict[str, CallType] = {
    "discovery": CallType(
        ("{account} <> {us}: Discovery", "Intro call {account} / {us}", "{us} and {account}, first conversation"),
        (("opening", 1), ("situation", 5), ("decision", 3), ("objections", 1), ("next_steps", 1)),
        (90, 210),
        "{host} and {buyer} talked about how {account} plans today.",
    ),
    "demo": CallType(
        ("{account} <> {us}: Demo", "{product} demo for {account}", "{account} / product walkthrough"),
        (("opening", 1), ("situation", 2), ("demo", 6), ("objections", 2), ("pricing", 1), ("next_steps", 1)),
        (120, 240),
        "{host} demonstrated {product} to {account}.",
    ),
    "deep dive": CallType(
        ("{account}: technical deep dive", "{us} <> {account}: integration with {system}", "Security, {account}"),
        (("opening", 1), ("technical", 7), ("objections", 1), ("next_steps", 1)),
        (100, 210),
        "The teams of {account} went through integration, security and data with {host}.",
    ),
    "negotiation": CallType(
        ("{account}: commercials", "{us} / {account} contract review", "{account} <> {us}: Pricing"),
        (("opening", 1), ("pricing", 5), ("objections", 2), ("decision", 1), ("next_steps", 2)),
        (70, 160),
        "{buyer} and {host} negotiated the contract of {account}.",
    ),
    "review": CallType(
        ("{account}: quarterly business review", "{account} QBR", "{account} renewal"),
        (("opening", 1), ("adoption", 6), ("pricing", 1), ("next_steps", 1)),
        (80, 180),
        "{host} reviewed the quarter with {buyer} of {account}.",
    ),
    "loss review": CallType(
        ("{account}: feedback on the decision", "{account} <> {us}: looking back"),
        (("opening", 1), ("loss", 4)),
        (25, 60),
        "{buyer} explained to {host} why {account} decided against {us}.",
    ),
    "standup": CallType(
        ("{teamname} standup", "Pipeline review {teamname}", "{teamname}: weekly sync"),
        (("standup", 1),),
        (40, 100),
        "{teamname} went through its deals and the forecast.",
    ),
    "dialer": CallType(
        ("Call with {buyer}", "{buyer} ({account})", "Outbound call to {buyer}"),
        (("dial_open", 1), ("dial_talk", 3), ("outcome", 1)),
        (6, 26),
        "{host} called {buyer} at {account}.",
        by_phone=True,
    ),
    "check-in": CallType(
        ("Call with {buyer}", "{buyer} ({account})", "{account}: quick call"),
        (("checkin_open", 1), ("checkin_talk", 3), ("checkin_close", 1)),
        (8, 30),
        "{host} and {buyer} settled open points of {account}.",
        by_phone=True,
    ),
    "voicemail": CallType(
        ("Call with {buyer}",), (("voicemail", 1),), (3, 7), "{host} left a message for {buyer}.", by_phone=True
    ),
}

OUTCOME_PHASES = {
    "Meeting booked": "dial_booked",
    "Follow up later": "dial_later",
    "Not interested": "dial_refused",
}
"""Last phase of a cold call by the outcome that the rep chooses for it."""

_SMALL_NUMBERS = ("three", "four", "five", "six", "seven")

SLOTS: dict[str, tuple[str, ...]] = {
    "product": ("Quay Forecast", "Quay Connect", "Quay Replenish"),
    "competitor": ("PlanForge", "Stockwise", "Netcurrent", "Gridlane"),
    "pain": (
        "stock-outs during promotions",
        "too much slow stock",
        "forecasts that people do not trust",
        "late purchase orders",
        "goods that end up as waste",
        "planning in spreadsheets",
    ),
    "metric": ("forecast accuracy", "on-shelf availability", "inventory turnover", "order fill rate"),
    "team": ("demand planning", "store operations", "finance", "purchasing", "logistics"),
    "system": ("the ERP", "the order system", "the data warehouse", "the old mainframe"),
    "system_word": ("order systems", "retail data", "planning tools", "integrations"),
    "role": ("finance director", "head of IT", "operations director", "managing director"),
    "city": ("Portland", "Denver", "Austin", "Leeds", "Rotterdam", "Lyon", "Toronto", "Tampa", "Bristol", "Antwerp"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "month": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "few": _SMALL_NUMBERS,
    "few_th": ("third", "sixth", "tenth", "fifteenth", "twentieth"),
    "count": tuple(map(str, range(14, 97))),
    "percent": ("3", "4", "5", "6", "7", "8", "9", "11", "12", "14"),
    "discount": ("5", "8", "10", "12", "15", "18"),
    "weeks": ("two", "three", "four", "six", "eight", "ten"),
    "minutes": ("15", "20", "25", "30", "40", "45", "50"),
    "seats": ("25", "40", "60", "80", "120", "200"),
    "sites": ("38", "46", "57", "64", "72", "85", "110", "130"),
    "amount2": tuple(f"{thousands},{hundreds}00 dollars" for thousands in range(4, 60) for hundreds in (2, 4, 5, 8)),
    "price": tuple(f"{number:,} dollars" for number in range(420, 1700, 20)),
}
"""Values of each slot. A name ending in 2 draws a value that differs from the slot without it; `_cap` starts it with a
capital letter."""

GOODS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Food retail": ("food retail", ("fresh produce", "dairy products", "frozen goods", "bakery items")),
    "Apparel": ("fashion", ("summer dresses", "winter jackets", "running shoes", "rainwear")),
    "Building supplies": ("building supplies", ("garden tools", "exterior paint", "power tools", "roof tiles")),
    "Pharmacies": ("the pharmacy business", ("cold remedies", "sun lotions", "hay fever tablets", "baby products")),
    "Home furnishings": ("furniture", ("garden furniture", "mattresses", "office chairs", "lamps")),
    "Toys": ("the toy business", ("board games", "building sets", "outdoor toys", "dolls")),
}
"""What the people of an industry call it, and the goods they worry about."""
