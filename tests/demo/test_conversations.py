"""Conversations of the generated company: plausible times, turns and records, and hardly any repetition."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Company, build_company
from pipelines.demo.company.dialogue.call_types import BANKS, CALL_TYPES, PHASES, SLOTS
from pipelines.demo.company.dialogue.grammar import Template
from pipelines.demo.company.speech import Slots
from tests.support.gong_api import Json
from tests.support.servers.gong_client import UNTIL

_COMPETITORS = ("PlanForge", "Stockwise", "Netcurrent", "Gridlane")


@pytest.fixture(scope="module")
def demo_company() -> Company:
    """Return a company as large as that of the demo."""
    return build_company(calls=600, until=UNTIL)


def list_turns(call: Call) -> list[Json]:
    """Return the monologues of a call."""
    return call.transcript or []


def list_sentences(call: Call) -> list[Json]:
    """Return the sentences of a call."""
    return [sentence for turn in list_turns(call) for sentence in turn["sentences"]]


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    until=st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),
    days=st.integers(1, 200),
    sentence_count=st.none() | st.integers(1, 80),
    office_hours=st.booleans(),
)
def test_every_conversation_is_possible(
    seed: int, until: datetime, days: int, sentence_count: int | None, office_hours: bool
) -> None:
    """People speak one after another, at the pace of people, within the call; a turn is not split."""
    company = build_company(
        calls=6, seed=seed, until=until, days=days, sentences=sentence_count, office_hours=office_hours
    )
    for call in company.calls:
        speakers = {party["speakerId"] for party in call.record["parties"]} - {None}
        seconds = call.record["metaData"]["duration"]
        end = 0
        for turn in list_turns(call):
            assert turn["speakerId"] in speakers
            assert turn["sentences"]
            for sentence in turn["sentences"]:
                text = sentence["text"]
                assert end < sentence["start"] < sentence["end"] <= seconds * 1000
                words_per_minute = len(text.split()) / (sentence["end"] - sentence["start"]) * 60_000
                assert 128 <= words_per_minute <= 172
                assert re.fullmatch(r"[A-Z0-9].*[.?]", text), text
                assert not re.search(r"[{}\[\]|<>]| [,.?]|  |\.\.", text), text
                end = sentence["end"]
        for first, second in zip(list_turns(call), list_turns(call)[1:], strict=False):
            assert (first["speakerId"], first["topic"]) != (second["speakerId"], second["topic"])
        assert sentence_count is None or len(list_sentences(call)) == sentence_count


def test_turns_have_the_lengths_of_real_ones(demo_company: Company) -> None:
    """Short replies, statements, and explanations that last a minute or more."""
    words = sorted(
        sum(len(sentence["text"].split()) for sentence in turn["sentences"])
        for call in demo_company.calls
        for turn in list_turns(call)
    )
    tenth, half, ninth = (words[len(words) * share // 100] for share in (10, 50, 90))
    assert tenth <= 5
    assert 8 <= half <= 25
    assert ninth >= 30
    longest = [
        stat["value"]
        for call in demo_company.calls
        if call.record["metaData"]["title"].endswith("Demo")
        for stat in call.record["interaction"]["interactionStats"]
        if stat["name"] == "Longest Monologue"
    ]
    assert 25 <= median(longest) <= 150
    assert max(longest) >= 60


@pytest.mark.parametrize("seed", [7, 1, 2])
def test_words_that_people_search_for_are_not_in_the_same_sentence_again_and_again(seed: int) -> None:
    """The first results of a search are the shortest sentences with the words; they must not be one sentence."""
    company = build_company(calls=600, seed=seed, until=UNTIL)
    texts = [sentence["text"] for call in company.calls for sentence in list_sentences(call)]
    for words in (r"\bpric(e|es|ing)\b", r"\bcompetitors?\b", r"\bnext steps?\b", r"\bbudgets?\b", r"\bdiscounts?\b"):
        found = [text for text in texts if re.search(words, text, re.IGNORECASE)]
        assert len(found) >= 15, words
        first = sorted(found, key=lambda text: (len(text.split()), text))[:20]
        assert max(Counter(first).values()) == 1, (words, Counter(first).most_common(1))
        assert len(set(map(mask_values, first))) > 0.6 * len(first), first
    assert max(Counter(text for text in texts if len(text) > 60).values()) <= 50


def mask_values(text: str) -> str:
    """Return the text without names, numbers and dates."""
    values = [value for slot in ("day", "month", "city", "few", "team", "metric", "weeks") for value in SLOTS[slot]]
    return re.sub(rf"\d[\d,]*|\b({'|'.join(values)})\b", "#", text, flags=re.IGNORECASE)


def test_competitors_have_different_records(demo_company: Company) -> None:
    """The report and the questions of the demo compare them."""
    records = {name: Counter[str]() for name in _COMPETITORS}
    seen = set()
    for call in demo_company.calls:
        for deal in list_deals(call):
            for name in _COMPETITORS:
                is_named = any(name in sentence["text"] for sentence in list_sentences(call))
                if is_named and (deal["id"], name) not in seen:
                    seen.add((deal["id"], name))
                    records[name][deal["stage"]] += 1
    lost_shares = {
        name: record["Closed Lost"] / (record["Closed Lost"] + record["Closed Won"]) for name, record in records.items()
    }
    assert lost_shares["PlanForge"] > 0.5 > lost_shares["Gridlane"]
    # A deal has one competitor at most, so its calls name no other.
    assert max(Counter(deal for deal, _ in seen).values()) == 1


def list_deals(call: Call) -> Iterator[dict[str, str]]:
    """Yield id and present stage of the opportunities of a call."""
    for context in call.record["context"]:
        for crm_object in context["objects"]:
            if crm_object["objectType"] == "Opportunity" and crm_object["timing"] == "Now":
                fields = {field["name"]: field["value"] for field in crm_object["fields"]}
                yield {"id": crm_object["objectId"], "stage": fields["StageName"]}


def test_what_is_said_fits_the_kind_of_the_call(demo_company: Company) -> None:
    """Outcomes, dispositions, next steps and speakers agree with the conversation."""
    checked = Counter[str]()
    for call in demo_company.calls:
        meta, content = call.record["metaData"], call.record.get("content", {})
        phases = {section["section"] for section in content.get("outline", [])}
        expected = {"Meeting booked": "Meeting agreed", "Follow up later": "Callback agreed"}
        expected["Not interested"] = "No interest"
        if outcome := content.get("callOutcome"):
            assert expected[outcome["name"]] in phases
            checked["outcome"] += 1
        if meta["sdrDisposition"] == "Left voicemail":
            assert call.transcript is None
            checked["voicemail"] += 1
        if meta["scope"] == "Internal":
            assert phases <= {"Team update"}
            checked["internal"] += 1
        has_next_steps = {"Wrap-up", "Meeting agreed", "Closing"} & phases
        assert bool(content.get("highlights")) == bool(has_next_steps)
        checked["next steps" if has_next_steps else "no next steps"] += bool(content)
    assert min(checked[key] for key in ("outcome", "voicemail", "internal", "next steps", "no next steps")) > 10


def test_the_reviews_agree_with_the_calls(demo_company: Company) -> None:
    """A scorecard answers "Was a next step with a date agreed?" as the call's highlights do."""
    calls = {call.id: call.record for call in demo_company.calls}
    answers = Counter[tuple[bool, str]]()
    for review in demo_company.settings.answered_scorecards:
        (chosen,) = (answer["selectedOptions"] for answer in review["answers"] if answer["selectedOptions"])
        answers[bool(calls[review["callId"]]["content"].get("highlights")), chosen[0]] += 1
    assert answers[True, "Yes"] + answers[True, "Partly"] == sum(n for (agreed, _), n in answers.items() if agreed) > 10
    assert answers[False, "Yes"] == 0


def test_every_phase_and_bank_of_the_dialogue_is_used() -> None:
    """A misspelled name in the text would be silently ignored."""
    used = {phase for call_type in CALL_TYPES.values() for phase, _ in call_type.phases}
    used |= {"dial_booked", "dial_later", "dial_refused"}
    assert used - {"outcome"} == PHASES.keys()
    lines = [line for phase in PHASES.values() for exchange in phase.exchanges for line in exchange.lines]
    in_text = {item.bank for line in lines for item in line.items if not isinstance(item, Template)}
    added = {f"{phase}_{side}" for phase in PHASES for side in ("company", "customer")}
    assert in_text <= BANKS.keys() <= in_text | added


def test_every_slot_of_the_dialogue_has_a_value() -> None:
    """A slot without a value would end the demo with an error, perhaps in one call of a thousand."""
    fixed = dict.fromkeys(
        ("account", "us", "host", "buyer", "teamname", "amount", "goods", "industry_short", "competitor"), "x"
    )
    lines = [line for phase in PHASES.values() for exchange in phase.exchanges for line in exchange.lines]
    templates = [item for line in lines for item in line.items if isinstance(item, Template)]
    templates += [template for bank in BANKS.values() for template in bank]
    names = {name for template in templates for name in re.findall(r"\{(\w+)\}", str(template.parts))}
    names |= {name for phase in PHASES.values() for e in phase.exchanges for name in re.findall(r"\{(\w+)\}", e.gist)}
    assert len(names) > 25
    for name in sorted(names):
        assert Slots(fixed, Random(1))[name], name
