"""Resources of the server: a call, an account and the schema as Markdown that a client attaches to a conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from ..analytics.conversation_format import escape_markup, link
from ..evidence.answers import CHARACTERS_PER_TOKEN, MAX_TOKENS
from ..evidence.evidence import Evidence
from ..runtime.errors import UsageError
from .tools import NOTICE

MAX_CHARACTERS = MAX_TOKENS * CHARACTERS_PER_TOKEN
"""Size of a resource, at most: that of the answers of tools."""

MIME_TYPE = "text/markdown"


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of resources.

    Attributes:
        uri: Its URI, with a parameter in braces if there are many.
        name: Its name.
        description: What a user or a model reads to choose it.
        read: Returns its Markdown, given the parameter.
    """

    uri: str
    name: str
    description: str
    read: Callable[[Evidence, str], str]

    @property
    def is_template(self) -> bool:
        """Whether the URI has a parameter."""
        return "{" in self.uri


def read_resource(evidence: Evidence, uri: str) -> str:
    """Return the Markdown of a resource, with at most 20,000 tokens.

    Raises:
        UsageError: If the URI is unknown, or names a call or account that does not exist or may not be read.
    """
    parts = urlsplit(uri)
    parameter = unquote(parts.path.removeprefix("/"))
    for resource in RESOURCES:
        kind = urlsplit(resource.uri).netloc
        if (parts.scheme, parts.netloc) == ("gong", kind) and bool(parameter) == resource.is_template:
            return resource.read(evidence, parameter)
    raise UsageError(f"unknown resource {uri[:200]!r}: use {', '.join(resource.uri for resource in RESOURCES)}")


def _read_call(evidence: Evidence, call_id: str) -> str:
    answer = evidence.get_transcript(call_id)
    if answer["call"] is None:
        raise UsageError(answer["reason"])
    facts = {key: value for key, value in answer.items() if key not in ("lines", *_ENVELOPE)}
    pieces = [f"# Call {_plain(call_id)}\n\n{NOTICE}\n", *_format_mapping(facts, 2), "\n## Transcript\n\n"]
    size = sum(map(len, pieces))
    following = None
    while True:
        for line in answer["lines"]:
            text = f"{line['at']} **{_plain(line['speaker'])}** ({line['side']}): {_plain(line['text'])}\n\n"
            size += len(text)
            if size > MAX_CHARACTERS - 200:
                following = line["sentence_index"]
                break
            pieces.append(text)
        if following is not None or answer["next"] is None:
            break
        answer = evidence.get_transcript(call_id, from_sentence=int(answer["next"]))
    if following is not None:
        pieces.append(f"Cut here: read on with get_transcript, from_sentence {following}.\n")
    elif answer["reason"]:
        pieces.append(f"{_plain(answer['reason'])}\n")
    return "".join(pieces)


def _read_account(evidence: Evidence, account: str) -> str:
    return _format_answer(f"Account {account}", evidence.account_brief(account))


def _read_schema(evidence: Evidence, _parameter: str) -> str:
    return _format_answer("Tables for query", evidence.describe_schema())


RESOURCES = (
    Resource("gong://schema", "schema", "The tables that query reads, with their columns and meanings", _read_schema),
    Resource(
        "gong://calls/{call_id}",
        "call",
        f"A call with its transcript, by Gong's id of the call. {NOTICE}",
        _read_call,
    ),
    Resource(
        "gong://accounts/{account}",
        "account",
        f"The brief of an account, by its name, domain or CRM id: deals, people, calls, next steps, quotes. {NOTICE}",
        _read_account,
    ),
)
"""All resources, in the order in which they are listed."""

_ENVELOPE = ("notice", "truncated", "next", "reason")
"""Keys of an answer about the answer itself."""


def _format_answer(title: str, answer: Mapping[str, Any]) -> str:
    """Return an answer as Markdown: a heading per key, a list per value, cut to the largest size."""
    body = {key: value for key, value in answer.items() if key not in _ENVELOPE}
    text = "".join([f"# {_plain(title)}\n\n{NOTICE}\n", *_format_mapping(body, 2)])
    is_cut = len(text) > MAX_CHARACTERS - 200
    reason = answer.get("reason")
    if is_cut:
        text = text[: text.rindex("\n", 0, MAX_CHARACTERS - 200) + 1]
    if is_cut or answer.get("truncated"):
        text += "\nThe rest is left out: use the tools of this server for it.\n"
    return f"{text}\n{_plain(reason)}\n" if reason else text


def _format_mapping(mapping: Mapping[str, Any], level: int) -> Iterator[str]:
    """Yield the simple values as a list, then a section per list or mapping."""
    simple = {key: value for key, value in mapping.items() if not isinstance(value, list | dict)}
    yield from (f"\n* {key}: {_plain(value)}" for key, value in simple.items() if value is not None)
    yield "\n"
    for key, value in mapping.items():
        if isinstance(value, dict) and value:
            yield f"\n{'#' * level} {_title(key)}\n"
            yield from _format_mapping(value, min(level + 1, 6))
        elif isinstance(value, list) and value:
            yield f"\n{'#' * level} {_title(key)}\n\n"
            yield from (f"* {_format_item(item)}\n" for item in value)


def _format_item(item: object) -> str:
    if isinstance(item, dict):
        return "; ".join(f"{key}: {_format_item(value)}" for key, value in item.items() if value not in (None, [], {}))
    if isinstance(item, list):
        return ", ".join(map(_format_item, item))
    return _plain(item)


def _title(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _plain(value: object) -> str:
    """Return a value as one line without markup of its own; a URL as a link."""
    text = str(value)
    return link(text, text) if text.startswith(("https://", "http://")) else escape_markup(text)
