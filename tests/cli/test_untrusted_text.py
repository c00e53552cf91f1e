"""Text from Gong and from files in the output of every command: never markup, never a control character."""

from __future__ import annotations

import dataclasses
import importlib
import io
import json
import pkgutil
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from rich.console import Console

import pipelines.analytics
import pipelines.evidence
import pipelines.load
import pipelines.media
import pipelines.write
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, respond
from pipelines.runtime.result import JobResult
from tests.support.companies import public_calls
from tests.support.gong_api import USERS
from tests.support.workspace import Workspace

HOSTILE = "[internal] weekly [/v2/calls] [/bold] :warning: \x1b[2J\x07\x9b31m \u202egnp.exe\u2066 \u2028end"
"""A text that rich would take for markup, and that a terminal would execute."""

SHOWN = "[internal] weekly [/v2/calls] [/bold] :warning:  [2J  31m  gnp.exe   end"
"""How a person reads it."""

LINE = {"start_time": "0:00:01", "speaker": HOSTILE, "side": HOSTILE, "text": HOSTILE}
_NAMES = ("title", "url", "host_name", "host_title", "account_name", "opportunity_name", "opportunity_id", "call_id")
CALL = {
    **dict.fromkeys((*_NAMES, "stage_at_call", "stage_now", "currency"), HOSTILE),
    "started": datetime(2026, 1, 31, tzinfo=UTC),
    "duration_seconds": 60,
    "amount_now": 1.5,
    "participants": [
        {"name": HOSTILE, "title": HOSTILE, "side": "customer", "is_host": False, "talk_seconds": 1.5},
    ],
    "brief": {"text": HOSTILE},
    "key_points": [{"text": HOSTILE}],
    "next_steps": [{"text": HOSTILE, "start_time": "00:00:01", "moment_url": HOSTILE}],
    "turns": [LINE],
}
"""A call of `gong-elt show`, whose fields have no type of their own."""

_ROW = {
    **dict.fromkeys(("title", "url", "call_type", "host", "text", "at", "moment_url", "started", "name"), HOSTILE),
    **dict.fromkeys(("email_address", "side", "speaker", "speaker_title", "last_call"), HOSTILE),
    "call_count": 2,
    "brief": {"text": HOSTILE},
}
DEAL = {
    **dict.fromkeys(("opportunity_id", "opportunity_name", "deal_url", "outcome", "stage_now", "currency"), HOSTILE),
    **dict.fromkeys(("close_date", "last_call"), "2026-01-31"),
    "amount_now": 1.5,
    "risks": [HOSTILE],
}
ACCOUNT = {
    **dict.fromkeys(("account_id", "account_name", "domains", "owner", "engagement_status"), HOSTILE),
    **dict.fromkeys(("last_external_call", "next_call"), "2026-01-31"),
    **dict.fromkeys(("is_in_crm", "call_count", "calls_in_90_days"), 1),
}
"""A brief of `gong-elt brief`, whose fields have no type of their own."""

UNTYPED: Mapping[str, Any] = {
    "call": CALL,
    "account": ACCOUNT,
    "deal": DEAL,
    "deals": [DEAL],
    "other_matches": [HOSTILE],
    **{section: [_ROW] for section in ("last_calls", "next_steps", "people", "quotes")},
    "count_without": {"side": 2},
}

_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def figures_classes() -> list[type]:
    """Return the result class of every command: dataclasses with `status` and `lines`."""
    classes = {}
    for package in (pipelines.load, pipelines.media, pipelines.write, pipelines.analytics, pipelines.evidence):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and dataclasses.is_dataclass(value) and hasattr(value, "lines"):
                    classes[value.__qualname__] = value
    return [classes[name] for name in sorted(classes)]


@pytest.mark.parametrize("figures_class", figures_classes())
@pytest.mark.parametrize("status", ["done", "failed"])
@pytest.mark.parametrize("width", [60, 400])
def test_the_output_of_every_command_is_plain_text(figures_class: type, status: str, width: int) -> None:
    """The text of each field is shown as it is, with its brackets, and without its control characters."""
    figures = build_value(figures_class, status)
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    result = JobResult(figures)
    result.show(console, "")

    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert not _CONTROLS.search(shown)
    if shown and status == "done" and "[internal]" in shown:
        assert SHOWN in shown
    assert not _CONTROLS.search(result.as_json())
    assert json.loads(result.as_json())


def build_value(kind: Any, status: str) -> Any:  # noqa: PLR0911 - one return per kind
    """Return a value of a type, with the hostile text in place of every string."""
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        names = [field.name for field in dataclasses.fields(kind)]
        values = {name: build_value(hints[name], status) for name in names}
        values |= {"status": status} if "status" in values else {}
        return kind(**values | {name: UNTYPED[name] for name in UNTYPED.keys() & values.keys()})
    if origin in (Union, types.UnionType):
        return build_value(arguments[0], status)
    if origin is Literal:
        return arguments[0]
    if kind is Any:
        return HOSTILE
    simple = {str: HOSTILE, int: 2, float: 1.5, bool: True, datetime: datetime(2026, 1, 31, tzinfo=UTC)}
    if kind in simple:
        return simple[kind]
    if origin in (dict, Mapping) or (origin is not None and issubclass(origin, Mapping)):
        return {HOSTILE: build_value(arguments[1], status)}
    if origin is not None and issubclass(origin, Sequence):
        return tuple(build_items(arguments[0], status)) if origin is tuple else list(build_items(arguments[0], status))
    raise AssertionError(f"no example of {kind}")


def build_items(kind: Any, status: str) -> Iterator[Any]:
    """Yield two items of a list."""
    for _ in range(2):
        yield build_value(kind, status)


def test_an_error_text_of_gong_is_shown_as_it_is(gong: SimulatedGong, workspace: Workspace) -> None:
    """Square brackets in an error text broke `check`, and then `status` while the run was among the last ones."""
    gong.faults.append(Fault(respond(418, errors=[HOSTILE]), USERS))
    checked, synced = workspace.run("check"), workspace.run("sync")
    status = workspace.run("status")

    assert (checked.code, synced.code, status.code) == (1, 1, 0)
    for text in (checked.out, checked.err, synced.err, status.out):
        assert " ".join(SHOWN.split()) in " ".join(text.split())
        assert not _CONTROLS.search(text)


def test_titles_keep_their_brackets_in_a_reconcile(gong: SimulatedGong, workspace: Workspace) -> None:
    """A person judges deletions by their titles before using --force."""
    call = public_calls(gong)[0]
    gong.edit_call(call.id, title=HOSTILE)
    workspace.sync()
    gong.delete_call(call.id)
    ended = workspace.run("reconcile", "--dry-run")

    assert ended.code == 0, ended.err
    assert SHOWN in ended.out
    assert not _CONTROLS.search(ended.out)


def test_json_lines_of_gong_contain_no_controls(gong: SimulatedGong, workspace: Workspace) -> None:
    """`get` prints what Gong sends, and a terminal executes none of it."""
    call = public_calls(gong)[0]
    gong.edit_call(call.id, title=HOSTILE)
    ended = workspace.run("get", "calls")

    titles = [json.loads(line)["title"] for line in ended.out.split("\n") if line]
    assert HOSTILE in titles
    assert not _CONTROLS.search(ended.out)
