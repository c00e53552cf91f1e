"""A named connection: its settings, and the dlt source, client and pipeline built from them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import dlt
from dlt.common.configuration.const import TYPE_EXAMPLES
from dlt.common.configuration.exceptions import ConfigurationException, ConfigValueCannotBeCoercedException
from dlt.common.configuration.specs.base_configuration import is_secret_hint
from dlt.common.destination import Destination
from dlt.extract import DltSource

from destinations.loading.load_files import disable_compression
from sources.gong import (
    ExtractRun,
    GongClient,
    GongCredentials,
    GongOAuth,
    GongSettings,
    gong_client,
    gong_settings,
    gong_source,
    parse_duration,
)
from sources.gong.auth.oauth import wait_for_token_exchange
from sources.gong.settings import describe_invalid_value

from .configuration.configured import list_settings
from .configuration.unknown_settings import (
    SOURCE_SECTION,
    configured_connections,
    has_own_settings,
    refuse_unknown_source_settings,
    source_settings,
)
from .errors import UsageError, one_line
from .process.interruption import complete_on_signal

DEFAULT = "gong"
"""Name of the default connection; its settings are `sources.gong.*`."""

RESERVED_NAMES = frozenset({"search"})
"""Folders beside the working folder of a connection."""

# A double underscore separates the parts of an environment variable.
_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")
_MAX_NAME_CHARACTERS = 41

_OAUTH_CLIENT = frozenset({"client_id", "client_secret", "token_url", "authorize_url", "token_file"})


@dataclass(frozen=True)
class Connection:
    """One Gong account. Settings of the connection `emea` are `sources.gong.emea.*`, then `sources.gong.*`.

    Credentials are read from the connection's own section only: data of one account must not be loaded under the name
    of another.

    Attributes:
        name: `gong`, or the name of another connection.
        overrides: Settings given by a program, which take precedence over dlt's configuration.

    Raises:
        UsageError: If the name is invalid or not configured, or the configuration has an unknown setting.
    """

    name: str = DEFAULT
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _validate_name(self.name)
        complete_on_signal(wait_for_token_exchange)
        settings = list_settings(*SOURCE_SECTION)
        refuse_unknown_source_settings(settings)
        # Credentials may also be in a vault, which cannot be listed.
        if (
            self.name == DEFAULT
            or self.overrides
            or has_own_settings(settings, self.name)
            or _credential_values(self._section)
        ):
            return
        default = [DEFAULT] if any(setting.path[0] == "credentials" for setting in settings) else []
        raise UsageError(
            f"connection {self.name!r} is not configured: set its credentials under [{self._section}.credentials] in"
            " .dlt/secrets.toml; configured connections:"
            f" {', '.join([*default, *configured_connections(settings)]) or 'none'}"
        )

    @cached_property
    def settings(self) -> GongSettings:
        """The settings of the connection. dlt takes 3 ms to resolve them, so they are resolved once.

        Raises:
            UsageError: If a value has the wrong type.
            ConfigurationError: If a value is invalid.
        """
        return self.settings_with()

    def settings_with(self, **overrides: Any) -> GongSettings:
        """Return the settings with some values replaced; None does not replace.

        Raises:
            UsageError: If a value has the wrong type.
            ConfigurationError: If a value is invalid.
        """
        values = {name: value for name, value in self.overrides.items() if name in GongSettings.get_resolvable_fields()}
        values |= {name: value for name, value in overrides.items() if value is not None}
        try:
            return gong_settings(self.name, **values)
        except ConfigurationException as error:
            raise UsageError(self._describe(error)) from error

    @property
    def transcript_retry_period(self) -> timedelta:
        """Return for how long after a call its missing transcript is requested again."""
        return parse_duration(self.settings.transcript_retry_period)

    @property
    def includes_private_calls(self) -> bool:
        """Return whether private calls are loaded with their content."""
        return self.settings.private_calls == "include"

    def validate(self) -> None:
        """Check every setting that a sync uses. Nothing is opened or sent.

        Raises:
            UsageError: If a setting is missing or has the wrong type.
            ConfigurationError: If the value of a setting is invalid.
        """
        self.source()
        # The source does not use it.
        _ = self.transcript_retry_period

    def source(self, run: ExtractRun | None = None) -> DltSource:
        """Return the dlt source with this connection's settings.

        Args:
            run: What only the run knows: windows, known hashes, deadline, metrics.

        Raises:
            UsageError: If a setting is missing or has the wrong type.
            ConfigurationError: If the value of a setting is invalid.
        """
        factory = gong_source if self.name == DEFAULT else gong_source.with_args(name=self.name, section="gong")
        try:
            source: DltSource = factory(**{**self._required_credentials(), **self.overrides, "run": run})
        except ConfigurationException as error:
            raise UsageError(self._describe(error)) from error
        return source

    def client(self, run: ExtractRun | None = None) -> GongClient:
        """Return an HTTP client with this connection's settings.

        Args:
            run: Bounds on requests and time, and the metrics to count in.

        Raises:
            UsageError: If a setting is missing or has the wrong type.
            ConfigurationError: If the value of a setting is invalid.
        """
        try:
            return gong_client(self.name, settings=self.settings, run=run, **self._required_credentials())
        except ConfigurationException as error:
            raise UsageError(self._describe(error)) from error

    @property
    def credentials(self) -> GongCredentials | None:
        """Return the credentials configured in this connection's section; None without any.

        Raises:
            UsageError: If they are incomplete or of several kinds.
        """
        try:
            return self._credentials().get("credentials")
        except ConfigurationException as error:
            raise UsageError(self._describe(error)) from error

    def pipeline(self, destination: Destination[Any, Any], dataset: str, folder: Path) -> dlt.Pipeline:
        """Return the dlt pipeline that keeps this connection's bookmarks in the warehouse.

        Args:
            destination: The warehouse.
            dataset: Dataset in the warehouse.
            folder: dlt's working folder. It may be deleted after the run.
        """
        disable_compression()
        return dlt.pipeline(
            pipeline_name="gong" if self.name == DEFAULT else f"gong_{self.name}",
            destination=destination,
            dataset_name=dataset,
            pipelines_dir=str(folder),
        )

    @property
    def _section(self) -> str:
        return ".".join(SOURCE_SECTION if self.name == DEFAULT else (*SOURCE_SECTION, self.name))

    def _required_credentials(self) -> dict[str, GongCredentials]:
        """Return the argument `credentials`; empty if dlt has to find those of the default connection.

        Raises:
            UsageError: If a named connection has no credentials.
        """
        credentials = self._credentials()
        if not credentials and self.name != DEFAULT:
            raise UsageError(self._describe_missing_credentials())
        return credentials

    def _credentials(self) -> dict[str, GongCredentials]:
        """Return the argument `credentials` from this connection's own section; empty if it has none.

        dlt would try one kind of credentials after the other through all sections, and so complete them with the
        values of another account.
        """
        if "credentials" in self.overrides:
            return {"credentials": self.overrides["credentials"]}
        values = _credential_values(self._section)
        if "refresh_token" in values and not values.keys() & {"client_id", "client_secret"}:
            # One OAuth client serves several companies; the refresh token identifies the account.
            shared = _credential_values(".".join(SOURCE_SECTION))
            values = {name: value for name, value in shared.items() if name in _OAUTH_CLIENT} | values
        fields_by_kind = {kind: kind.get_resolvable_fields() for kind in get_args(GongCredentials)}
        configured = {kind: name for kind, fields in fields_by_kind.items() for name in fields if values.get(name)}
        if len(configured) > 1:
            raise UsageError(
                f"[{self._section}.credentials] has credentials of several kinds ({', '.join(configured.values())}):"
                " keep one of them"
            )
        if not configured:
            return {}
        (kind,) = configured
        fields = fields_by_kind[kind]
        missing = [
            name
            for name, hint in fields.items()
            if not kind.is_field_resolved(values.get(name, getattr(kind, name)), hint)
        ]
        if missing:
            raise UsageError(self._describe_missing_fields(missing))
        credentials = kind(**{name: value for name, value in values.items() if name in fields})
        # Otherwise dlt would look for its optional values in the sections of other accounts.
        credentials.resolve()
        if isinstance(credentials, GongOAuth):
            credentials.account = self.name
        return {"credentials": credentials}

    def _describe(self, error: ConfigurationException) -> str:
        if isinstance(error, ConfigValueCannotBeCoercedException):
            return f"[{self._section}] {describe_invalid_value(error)}"
        if "credentials" in str(error) or "access_" in str(error):
            return self._describe_missing_credentials()
        return f"invalid configuration of connection {self.name!r}: {one_line(error, 300)}"

    def _describe_missing_fields(self, names: Sequence[str]) -> str:
        section = self._section
        variables = (f"{section}.credentials.{name}".replace(".", "__").upper() for name in names)
        return (
            f"{' and '.join(f'credentials.{name}' for name in names)} of connection {self.name!r} is missing: set it"
            f" under [{section}.credentials] in .dlt/secrets.toml, or {' and '.join(variables)} in the environment"
        )

    def _describe_missing_credentials(self) -> str:
        section = self._section
        variable = f"{section}.credentials.access_key".replace(".", "__").upper()
        return (
            f"no credentials for connection {self.name!r}: set access_key and access_key_secret, or client_id,"
            " client_secret and refresh_token (or log in with gong-elt login), or access_token, under"
            f" [{section}.credentials] in .dlt/secrets.toml, or {variable} and {variable}_SECRET in the environment"
        )


def _credential_values(section: str) -> dict[str, str]:
    """Return the values of credentials in a section, without those of other sections, by name."""
    values: dict[str, Any] = {
        name: (dlt.secrets if is_secret_hint(hint) else dlt.config).get(f"{section}.credentials.{name}")
        for kind in get_args(GongCredentials)
        for name, hint in kind.get_resolvable_fields().items()
    }
    filled_in = {name: str(value).strip() for name, value in values.items() if value is not None}
    return {name: value for name, value in filled_in.items() if value != TYPE_EXAMPLES["text"]}


def _validate_name(name: str) -> None:
    """Refuse a name that would be another path, section or pipeline: it is used for all of them.

    Raises:
        UsageError: If the name is invalid or reserved.
    """
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME_CHARACTERS:
        raise UsageError(
            f"connection name {name[:60]!r} is invalid: use letters, digits and single underscores between them, start"
            f" with a letter, at most {_MAX_NAME_CHARACTERS} characters"
        )
    if name.lower() in RESERVED_NAMES | source_settings():
        raise UsageError(f"connection name {name!r} is reserved: choose another name")
