"""Settings of a Gong connection: names, types, defaults and meanings, declared once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal, get_args, get_origin, get_type_hints

from dlt.common.configuration import configspec
from dlt.common.configuration.exceptions import ConfigValueCannotBeCoercedException
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import TSecretStrValue, extract_inner_type

from .datetimes import parse_datetime_setting
from .errors import ConfigurationError

CallDetail = Literal["extensive", "basic"]
CrmContext = Literal["None", "Basic", "Extended"]
ContextTiming = Literal["Now", "TimeOfCall"]
PrivateCalls = Literal["exclude", "metadata", "include"]
PiiMode = Literal["keep", "hash"]

DEFAULT_BASE_URL = "https://api.gong.io"
DEFAULT_HISTORY = timedelta(days=365)
"""How far back the first read goes if `start_date` is not set."""
DEFAULT_LOOKBACK = "1d / 7d / 30d"


@configspec
class GongSettings(BaseConfiguration):
    """Everything under `sources.gong` except the credentials; docs/reference/settings.md is generated from it.

    Attributes:
        base_url: Host of the customer's Gong API: https, or http on a loopback address. With OAuth, Gong names the
            host if this setting has its default.
        start_date: Where the first read begins: a date or date-time, UTC if it has no zone. Default: 365 days ago.
        workspace_id: Read only calls and folders of this workspace.
        primary_user_ids: Read only calls hosted by these users.
        call_ids: Read only these calls.
        call_detail: `extensive`, or `basic` for a key that may only list calls (GET /v2/calls).
        context: CRM context of calls: `None`, `Basic` or `Extended`.
        context_timing: With context `Extended`: `Now`, `TimeOfCall` or both. Default: both.
        include_parties: Read who took part in a call.
        include_content: Read topics, trackers, brief, outline, highlights, key points and outcome.
        include_interaction: Read talk times, interaction statistics, video and question counts.
        include_public_comments: Read comments.
        include_media: Read URLs of recordings, which expire after 8 hours and need a scope of their own.
        private_calls: What to load of private calls: `exclude` loads nothing, `metadata` the row in `calls` without
            content, `include` everything.
        pii: `keep`, or `hash` to store keyed hashes instead of e-mail addresses, phone numbers and names.
        pii_key: Secret key of the hashes, at least 16 random characters.
        pii_crm_fields: CRM fields to hash as well, as `ObjectType.FieldName` or `FieldName`. Default: names, e-mail
            addresses and phone numbers of Contact, Lead and User.
        lookback: How far behind the bookmark to read again: every run / once a day / once a week.
        transcript_retry_period: How long to request a missing transcript again.
        requests_per_second: Gong's rate limit for this company.
        requests_per_day: Gong's daily quota for this company.
    """

    base_url: str = DEFAULT_BASE_URL
    start_date: str | None = None
    workspace_id: str | None = None
    primary_user_ids: list[str] | None = None
    call_ids: list[str] | None = None
    call_detail: CallDetail = "extensive"
    context: CrmContext = "Extended"
    context_timing: list[ContextTiming] | None = None
    include_parties: bool = True
    include_content: bool = True
    include_interaction: bool = True
    include_public_comments: bool = True
    include_media: bool = False
    private_calls: PrivateCalls = "exclude"
    pii: PiiMode = "keep"
    pii_key: TSecretStrValue | None = None
    pii_crm_fields: list[str] | None = None
    lookback: str = DEFAULT_LOOKBACK
    transcript_retry_period: str = "14d"
    requests_per_second: float = 3.0
    requests_per_day: int = 10_000

    def on_resolved(self) -> None:
        """Validate the settings; dlt calls this after it has read the configuration.

        Raises:
            ConfigurationError: If a value is not one of the allowed words or out of range, or two settings contradict
                each other.
        """
        for name, hint in get_type_hints(type(self)).items():
            if name in self:
                _check_choice(name, getattr(self, name), hint)
        if not 0 < self.requests_per_second < float("inf"):
            raise ConfigurationError(
                f"requests_per_second {self.requests_per_second:g} is invalid: use a number greater than 0"
            )
        if self.requests_per_day < 1:
            raise ConfigurationError(f"requests_per_day {self.requests_per_day} is invalid: use a whole number from 1")
        if self.call_detail == "basic" and (self.primary_user_ids or self.call_ids):
            raise ConfigurationError(
                "primary_user_ids and call_ids need call_detail = 'extensive': GET /v2/calls cannot filter by them"
            )

    def first_read(self, now: datetime) -> datetime:
        """Return where the first read begins.

        Raises:
            ConfigurationError: If `start_date` is not a date or date-time, or in the future.
        """
        if not self.start_date:
            return now - DEFAULT_HISTORY
        start = parse_datetime_setting(self.start_date, "start_date")
        if start > now:
            raise ConfigurationError(f"start_date {self.start_date!r} is in the future: use an earlier date")
        return start


@configspec
class PseudonymKey(BaseConfiguration):
    """The secret key of `pii = "hash"`, which `gong_source` reads from the section in which it is built."""

    pii_key: TSecretStrValue | None = None


def describe_invalid_value(error: ConfigValueCannotBeCoercedException) -> str:
    """Return one line that names the setting, its value, and what it takes."""
    choices = _choices(error.hint)
    expected = f"use one of {', '.join(choices)}" if choices else f"expected {_type_name(error.hint)}"
    return f"{error.field_name} {str(error.field_value)!r} is invalid: {expected}"


def _check_choice(name: str, value: Any, hint: Any) -> None:
    choices = _choices(hint)
    values = value if isinstance(value, list | tuple) else [value]
    for item in values if choices and value is not None else ():
        if item not in choices:
            raise ConfigurationError(f"{name} {item!r} is invalid: use one of {', '.join(choices)}")


def _choices(hint: Any) -> tuple[str, ...]:
    """Return the words of a `Literal`, also inside of `list[...]` and `... | None`; empty for other types."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return next((found for argument in get_args(hint) if (found := _choices(argument))), ())


def _type_name(hint: Any) -> str:
    inner = extract_inner_type(hint)
    return {float: "a number", int: "a whole number", bool: "true or false"}.get(inner, "another type")
