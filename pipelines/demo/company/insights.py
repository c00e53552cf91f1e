"""What Gong's analysis says about a call: content, interaction and comments, computed from its talk."""

import random
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pipelines.demo.company.conversation import Talk
from pipelines.demo.company.phrases import CALL_TYPES, PHASES
from pipelines.demo.company.trackers import Spoken, tracker_hits
from pipelines.demo.identifiers import Ids, format_datetime

Json = dict[str, Any]


class Outcome(NamedTuple):
    """A call outcome a rep may pick for a dialer call."""

    id: str
    name: str
    category: str


def content(
    rng: random.Random,
    kind: str,
    talk: Talk,
    *,
    sentences: list[Spoken],
    names: dict[str, str],
    tracker_ids: dict[str, str],
    outcome: Outcome | None,
) -> Json:
    """`content` of a call with every block the selector can ask for."""
    phases = talk.phases()
    blocks: Json = {"structure": [], "topics": [], "outline": []}
    topics: dict[str, int] = {}
    starts = [passages[0].turns[0].sentences[0].start for _, passages in phases] + [talk.length]
    for number, (phase, passages) in enumerate(phases):
        start, length = starts[number] / 1000, (starts[number + 1] - starts[number]) / 1000
        blocks["structure"].append({"name": PHASES[phase].name, "duration": int(length)})
        topic = PHASES[phase].topic
        if topic:
            topics[topic] = topics.get(topic, 0) + int(length)
        items = [{"text": f"{p.gist}.", "startTime": p.turns[0].sentences[0].start / 1000} for p in passages[:6]]
        blocks["outline"].append(
            {"section": PHASES[phase].name, "startTime": start, "duration": round(length, 3), "items": items}
        )
    topics.setdefault("Call Setup", 0)
    blocks["topics"] = [{"name": name, "duration": seconds} for name, seconds in topics.items()]
    blocks["trackers"] = tracker_hits(tracker_ids, sentences)
    gists = list(dict.fromkeys(p.gist for p in talk.passages if p.phase not in ("opening", "next_steps")))
    opening = CALL_TYPES[kind].brief.format_map(names)
    blocks["brief"] = " ".join([opening, *(f"{gist}." for gist in gists[:3])])
    blocks["keyPoints"] = [{"text": f"{gist}."} for gist in rng.sample(gists, min(len(gists), rng.randint(3, 6)))]
    agreed = [p for p in talk.passages if p.phase == "next_steps"]
    if agreed:
        steps = [{"text": f"{p.gist}.", "startTimes": [p.turns[0].sentences[0].start / 1000]} for p in agreed]
        blocks["highlights"] = [{"title": "Next steps", "items": steps}]
    if outcome:
        blocks["callOutcome"] = {"id": outcome.id, "category": outcome.category, "name": outcome.name}
    return blocks


def interaction(sentences: list[Spoken], parties: list[Json], host_speaker: str, length: int, with_video: bool) -> Json:
    """`interaction` of a call: talk times, the host's statistics, video and questions."""
    internal = {p["speakerId"]: p for p in parties if p["affiliation"] == "Internal" and p["speakerId"]}
    talk_time: dict[str, int] = {}
    longest: dict[bool, int] = {True: 0, False: 0}
    asked = {True: 0, False: 0}
    speaker, run_start, changes, pauses = "", 0, 0, []
    previous_end = 0
    for said in sentences:
        ours = said.speaker in internal
        talk_time[said.speaker] = talk_time.get(said.speaker, 0) + said.end - said.start
        asked[ours] += said.text.endswith("?")
        if said.speaker != speaker:
            changes += 1
            if said.speaker == host_speaker and previous_end:
                pauses.append(said.start - previous_end)
            speaker, run_start = said.speaker, said.start
        mine = said.speaker == host_speaker
        if mine or not ours:
            longest[mine] = max(longest[mine], said.end - run_start)
        previous_end = said.end
    spoken = sum(talk_time.values()) or 1
    stats = {
        "Talk Ratio": talk_time.get(host_speaker, 0) / spoken,
        "Longest Monologue": longest[True] / 1000,
        "Longest Customer Story": longest[False] / 1000,
        "Interactivity": min(10.0, changes / max(length / 60_000, 1)),
        "Patience": sum(pauses) / len(pauses) / 1000 if pauses else 0.0,
    }
    seconds = length / 1000
    video = [("Browser", 0.0), ("Presentation", round(seconds * 0.4, 1)), ("WebcamPrimaryUser", round(seconds, 1))]
    return {
        "speakers": [
            {"id": party["id"], "userId": party["userId"], "talkTime": talk_time.get(speaker_id, 0) / 1000}
            for speaker_id, party in internal.items()
        ],
        "interactionStats": [{"name": name, "value": round(value, 3)} for name, value in stats.items()],
        "video": [{"name": name, "duration": duration} for name, duration in video] if with_video else [],
        "questions": {"companyCount": asked[True], "nonCompanyCount": asked[False]},
    }


_COMMENTS = (
    "Nice question, this opened the conversation.",
    "Let us use this example in the next training.",
    "We should follow up on that point in writing.",
    "Here the customer names the number we need for the business case.",
)


def comments(rng: random.Random, ids: Ids, commenters: list[Json], length: int, call_end: datetime) -> list[Json]:
    """A remark of a colleague or two, the second in reply to the first."""
    at = rng.uniform(0.1, 0.8) * length / 1000
    first_id = ids.draw()
    posted = call_end + timedelta(hours=rng.uniform(1, 30))
    remarks: list[Json] = []
    for number in range(rng.choice((1, 1, 2))):
        commenter = rng.choice(commenters)
        text = rng.choice(_COMMENTS)
        if number:
            author = next(u for u in commenters if u["id"] == remarks[0]["commenterUserId"])
            text = f"@[{author['firstName']} {author['lastName']}]({author['id']}) agreed, thank you."
        remarks.append(
            {
                "id": ids.draw() if number else first_id,
                "audioStartTime": round(at, 2),
                "audioEndTime": round(at + 12.5, 2),
                "commenterUserId": commenter["id"],
                "comment": text,
                "posted": format_datetime(posted + timedelta(minutes=40 * number), 3),
                "inReplyTo": first_id if number else None,
                "duringCall": False,
            }
        )
    return remarks
