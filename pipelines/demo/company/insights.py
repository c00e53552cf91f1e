"""Gong's analysis of a generated call: content, interaction and comments, computed from its conversation."""

import random
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pipelines.demo.company.conversation import Conversation
from pipelines.demo.company.dialogue.call_types import CALL_TYPES, PHASES
from pipelines.demo.company.trackers import Sentence, find_tracker_hits
from pipelines.demo.identifiers import IdGenerator, format_datetime

Json = dict[str, Any]

_COMMENTS = (
    "Nice question, this opened the conversation.",
    "Let us use this example in the next training.",
    "We should follow up on that point in writing.",
    "Here the customer names the number we need for the business case.",
    "Good patience, you let them finish.",
    "Who is the person they mention? We have not met them.",
    "This answer is too long, two sentences would do.",
    "Please check this with the solutions team before you promise it.",
    "Great example, worth a snippet for the library.",
    "Did they ever send this? Please ask again.",
)


class Outcome(NamedTuple):
    """A call outcome that a rep can choose for a dialer call."""

    id: str
    name: str
    category: str


def build_content(
    rng: random.Random,
    kind: str,
    conversation: Conversation,
    *,
    sentences: list[Sentence],
    names: dict[str, str],
    tracker_ids: dict[str, str],
    outcome: Outcome | None,
) -> Json:
    """Return the `content` of a call with every block that a content selector can expose."""
    phases = conversation.group_by_phase()
    content: Json = {"structure": [], "topics": [], "outline": []}
    topics: dict[str, int] = {}
    starts = [exchanges[0].start for _, exchanges in phases] + [conversation.length]
    for number, (phase, exchanges) in enumerate(phases):
        start, duration = starts[number] / 1000, (starts[number + 1] - starts[number]) / 1000
        content["structure"].append({"name": PHASES[phase].name, "duration": int(duration)})
        topic = PHASES[phase].topic
        if topic:
            topics[topic] = topics.get(topic, 0) + int(duration)
        items = [{"text": f"{exchange.gist}.", "startTime": exchange.start_seconds} for exchange in exchanges[:6]]
        content["outline"].append(
            {"section": PHASES[phase].name, "startTime": start, "duration": round(duration, 3), "items": items}
        )
    topics.setdefault("Call Setup", 0)
    content["topics"] = [{"name": name, "duration": seconds} for name, seconds in topics.items()]
    content["trackers"] = find_tracker_hits(tracker_ids, sentences)
    subjects = [e.gist for e in conversation.exchanges if PHASES[e.phase].topic not in ("Small Talk", "Next Steps")]
    gists = list(dict.fromkeys(subjects)) or [conversation.exchanges[-1].gist]
    summary = CALL_TYPES[kind].brief.format_map(names)
    content["brief"] = " ".join([summary, *(f"{gist}." for gist in gists[:3])])
    content["keyPoints"] = [{"text": f"{gist}."} for gist in rng.sample(gists, min(len(gists), rng.randint(3, 6)))]
    next_steps = [exchange for exchange in conversation.exchanges if PHASES[exchange.phase].topic == "Next Steps"]
    if next_steps:
        items = [{"text": f"{exchange.gist}.", "startTimes": [exchange.start_seconds]} for exchange in next_steps]
        content["highlights"] = [{"title": "Next steps", "items": items}]
    if outcome:
        content["callOutcome"] = {"id": outcome.id, "category": outcome.category, "name": outcome.name}
    return content


def build_interaction(
    sentences: list[Sentence], parties: list[Json], host_speaker: str, length: int, has_video: bool
) -> Json:
    """Return the `interaction` of a call: talk times, the host's statistics, video and questions.

    Args:
        sentences: Every sentence in time order.
        parties: `parties` of the call.
        host_speaker: Speaker id of the host.
        length: Length of the conversation in milliseconds.
        has_video: Whether the recording has video.
    """
    internal = {p["speakerId"]: p for p in parties if p["affiliation"] == "Internal" and p["speakerId"]}
    talk_time: dict[str, int] = {}
    longest_monologue = longest_customer_story = 0
    company_questions = customer_questions = 0
    speaker, turn_start, speaker_changes, pauses = "", 0, 0, []
    previous_end = 0
    for sentence in sentences:
        is_internal = sentence.speaker in internal
        is_host = sentence.speaker == host_speaker
        talk_time[sentence.speaker] = talk_time.get(sentence.speaker, 0) + sentence.end - sentence.start
        if is_internal:
            company_questions += sentence.text.endswith("?")
        else:
            customer_questions += sentence.text.endswith("?")
        if sentence.speaker != speaker:
            speaker_changes += 1
            if is_host and previous_end:
                pauses.append(sentence.start - previous_end)
            speaker, turn_start = sentence.speaker, sentence.start
        if is_host:
            longest_monologue = max(longest_monologue, sentence.end - turn_start)
        elif not is_internal:
            longest_customer_story = max(longest_customer_story, sentence.end - turn_start)
        previous_end = sentence.end
    total_talk_time = sum(talk_time.values()) or 1
    stats = {
        "Talk Ratio": talk_time.get(host_speaker, 0) / total_talk_time,
        "Longest Monologue": longest_monologue / 1000,
        "Longest Customer Story": longest_customer_story / 1000,
        "Interactivity": min(10.0, speaker_changes / max((length // 1000 + 1) / 60, 1)),
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
        "video": [{"name": name, "duration": duration} for name, duration in video] if has_video else [],
        "questions": {"companyCount": company_questions, "nonCompanyCount": customer_questions},
    }


def build_comments(
    rng: random.Random, ids: IdGenerator, commenters: list[Json], length: int, call_end: datetime
) -> list[Json]:
    """Return one or two comments of colleagues, the second in reply to the first."""
    at = rng.uniform(0.1, 0.8) * length / 1000
    first_id = ids.draw()
    posted = call_end + timedelta(hours=rng.uniform(1, 30))
    comments: list[Json] = []
    for number in range(rng.choice((1, 1, 2))):
        commenter = rng.choice(commenters)
        text = rng.choice(_COMMENTS)
        if number:
            author = next(user for user in commenters if user["id"] == comments[0]["commenterUserId"])
            text = f"@[{author['firstName']} {author['lastName']}]({author['id']}) agreed, thank you."
        comments.append(
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
    return comments
