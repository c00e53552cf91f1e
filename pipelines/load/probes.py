"""Probes of `gong-elt check`: one small request per endpoint, and the sample ids that some of them require."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sources.gong.api.responses import Page
from sources.gong.calls.endpoints import CALLS, CALLS_EXTENSIVE, TRANSCRIPTS
from sources.gong.calls.request import CallRequest
from sources.gong.datetimes import format_datetime
from sources.gong.extract.probe import Probe, SampleIds
from sources.gong.incremental.windows import Window
from sources.gong.resources import LISTED_RESOURCES
from sources.gong.resources.account import USERS, WORKSPACES
from sources.gong.tables.records import InvalidRecordError, decode_record, is_valid_id, record_id

MEDIA = replace(CALLS_EXTENSIVE, scope=CALLS_EXTENSIVE.optional_scope)
"""The extensive endpoint when it is asked for URLs of recordings, which require a scope of their own."""


def call_probes(window: Window) -> Iterator[Probe]:
    """Yield the probes of both lists of calls and of transcripts."""
    bounds = {"fromDateTime": format_datetime(window.since), "toDateTime": format_datetime(window.until)}
    yield Probe(CALLS_EXTENSIVE, body={"filter": bounds})
    yield Probe(CALLS, query=bounds)
    yield Probe(TRANSCRIPTS, body={"filter": bounds})


def media_probe(window: Window) -> Probe:
    """Return the probe for URLs of recordings."""
    request = replace(CallRequest.metadata_only("extensive"), include_media=True)
    return Probe(MEDIA, body=request.body(window))


def resource_probes(samples: SampleIds) -> Iterator[tuple[str, Probe]]:
    """Yield the name and the probe of every other resource, those that are read by default first.

    Users and workspaces are not among them: they are read before, because they provide the sample ids.
    """
    resources = [resource for resource in LISTED_RESOURCES if resource not in (USERS, WORKSPACES)]
    for resource in sorted(resources, key=lambda resource: resource.opt_in):
        yield resource.name, resource.probe(samples)


def sample_ids(window: Window, workspaces: Page | None, users: Page | None, calls: Page | None) -> SampleIds:
    """Return one id of each kind from the first pages of workspaces, users and calls; None for a failed request."""
    people = list(_records(users))
    managers = [text for user in people if is_valid_id(text := record_id(user, "managerId"))]
    emails = (user.get("emailAddress") for user in people if user.get("active"))
    return SampleIds(
        window,
        workspace_id=_first_id(_records(workspaces)),
        user_id=_first_id(people),
        manager_id=next(iter(managers), None),
        email=next((email for email in emails if isinstance(email, str) and email), None),
        call_id=_first_id(meta for call in _records(calls) if isinstance(meta := call.get("metaData", call), Mapping)),
    )


def _records(page: Page | None) -> Iterator[Mapping[str, Any]]:
    for raw in page.records if page is not None else ():
        try:
            record = decode_record(raw)
        except InvalidRecordError:
            continue
        if isinstance(record, Mapping):
            yield record


def _first_id(records: Iterable[Any]) -> str | None:
    return next((text for record in records if is_valid_id(text := record_id(record))), None)
