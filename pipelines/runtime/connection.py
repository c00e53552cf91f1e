"""A named connection: its settings, and the dlt source, client and pipeline built from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import dlt
from dlt.common.configuration.exceptions import (
    ConfigFieldMissingException,
    ConfigurationException,
    ConfigValueCannotBeCoercedException,
)
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.configuration.specs import CredentialsConfiguration
from dlt.common.destination import Destination
from dlt.extract import DltSource

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
from sources.gong.settings import describe_invalid_value

from .errors import UsageError, one_line

DEFAULT = "gong"
"""Name of the default connection; its settings are `sources.gong.*`."""

RENAMED_SETTINGS = {"transcript_patience": "transcript_retry_period"}
"""Settings of earlier versions by their present names. An earlier name is refused, not ignored."""


@dataclass(frozen=True)
class Connection:
    """One Gong account. Settings of the connection `emea` are `sources.gong.emea.*`, then `sources.gong.*`.

    Attributes:
        name: `gong`, or the name of another connection.
        overrides: Settings given by a program, which take precedence over dlt's configuration.

    Raises:
        UsageError: If the configuration has a setting under an earlier name.
    """

    name: str = DEFAULT
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for old, new in RENAMED_SETTINGS.items():
            for section in self._sections:
                if dlt.config.get(f"{section}.{old}") is not None:
                    raise UsageError(f"{section}.{old} was renamed: set {new}")

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
            source: DltSource = factory(**{**self._credentials(), **self.overrides, "run": run})
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
            return gong_client(self.name, settings=self.settings, run=run, **self._credentials())
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
        return dlt.pipeline(
            pipeline_name="gong" if self.name == DEFAULT else f"gong_{self.name}",
            destination=destination,
            dataset_name=dataset,
            pipelines_dir=str(folder),
        )

    @property
    def _section(self) -> str:
        return self._sections[0]

    @property
    def _sections(self) -> tuple[str, ...]:
        return ("sources.gong",) if self.name == DEFAULT else (f"sources.gong.{self.name}", "sources.gong")

    def _credentials(self) -> dict[str, GongCredentials]:
        """Return the argument `credentials` from this connection's own section; empty if it has none.

        dlt would try one kind of credentials after the other through all sections, and so use the API key of another
        account for a connection whose own OAuth credentials are incomplete.
        """
        if "credentials" in self.overrides:
            return {"credentials": self.overrides["credentials"]}
        configured = {
            kind: key
            for kind in get_args(GongCredentials)
            for key in kind.get_resolvable_fields()
            if dlt.secrets.get(f"{self._section}.credentials.{key}")
        }
        if len(configured) > 1:
            raise UsageError(
                f"[{self._section}.credentials] has credentials of several kinds ({', '.join(configured.values())}):"
                " keep one of them"
            )
        if not configured:
            return {}
        (kind,) = configured
        credentials = resolve_configuration(kind(), sections=tuple(self._section.split(".")))
        if isinstance(credentials, GongOAuth):
            credentials.account = self.name
        return {"credentials": credentials}

    def _describe(self, error: ConfigurationException) -> str:
        section = self._section
        if isinstance(error, ConfigValueCannotBeCoercedException):
            return f"[{section}] {describe_invalid_value(error)}"
        if isinstance(error, ConfigFieldMissingException) and isinstance(error.config, CredentialsConfiguration):
            names = " and ".join(f"credentials.{name}" for name in error.traces)
            variables = " and ".join(
                f"{section}.credentials.{name}".replace(".", "__").upper() for name in error.traces
            )
            return (
                f"{names} of connection {self.name!r} is missing: set it under [{section}.credentials] in"
                f" .dlt/secrets.toml, or {variables} in the environment"
            )
        if "credentials" in str(error) or "access_" in str(error):
            variable = f"{section}.credentials.access_key".replace(".", "__").upper()
            return (
                f"no credentials for connection {self.name!r}: set access_key and access_key_secret, or client_id,"
                " client_secret and refresh_token (or log in with gong-elt login), or access_token, under"
                f" [{section}.credentials] in .dlt/secrets.toml, or {variable} and {variable}_SECRET in the environment"
            )
        return f"invalid configuration of connection {self.name!r}: {one_line(error, 300)}"
