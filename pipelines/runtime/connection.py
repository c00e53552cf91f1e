"""A named connection: where its settings come from, its dlt source, its dlt pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import Any, TypeVar, get_args

import dlt
from dlt.common.configuration import with_config
from dlt.common.configuration.exceptions import ConfigFieldMissingException, ConfigurationException
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.configuration.specs import CredentialsConfiguration
from dlt.common.destination import Destination
from dlt.common.runtime.run_context import active
from dlt.extract import DltSource

from destinations.warehouse import identity, warehouse
from sources.gong import GongClient, GongCredentials, GongOAuth, gong_client, gong_source, parse_duration

T = TypeVar("T")

DEFAULT = "gong"
"""The connection that needs no name; its settings are `sources.gong.*`."""

DEFAULT_TRANSCRIPT_PATIENCE = "14d"
DEFAULT_REQUESTS_PER_DAY = 10_000
DEFAULT_REQUESTS_PER_SECOND = 3.0


class UsageError(Exception):
    """Something the user has to change before anything can run; one line, exit code 2."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One Gong account. Settings of the connection `emea` are `sources.gong.emea.*`, then `sources.gong.*`.

    Attributes:
        name: `gong`, or the name of another connection.
        given: Settings that are not looked up, because a program gives them.
    """

    name: str = DEFAULT
    given: Mapping[str, Any] = field(default_factory=dict)

    def setting(self, key: str, default: Any) -> Any:
        """A setting that the source itself does not take."""
        if key in self.given:
            return self.given[key]
        sections = ("sources.gong",) if self.name == DEFAULT else (f"sources.gong.{self.name}", "sources.gong")
        values: Iterator[Any] = (dlt.config.get(f"{section}.{key}") for section in sections)
        return next((value for value in values if value is not None), default)

    @property
    def transcript_retry_period(self) -> timedelta:
        """How long a call without transcript is asked for again."""
        return parse_duration(str(self.setting("transcript_retry_period", DEFAULT_TRANSCRIPT_PATIENCE)))

    @property
    def requests_per_day(self) -> int:
        """Gong's limit for the company."""
        return int(self.setting("requests_per_day", DEFAULT_REQUESTS_PER_DAY))

    @property
    def requests_per_second(self) -> float:
        """Gong's limit for the company."""
        return float(self.setting("requests_per_second", DEFAULT_REQUESTS_PER_SECOND))

    @property
    def keeps_private_calls(self) -> bool:
        """Whether private calls are loaded with all they hold."""
        return bool(self.setting("private_calls", "exclude") == "include")

    def source(self, **arguments: Any) -> DltSource:
        """The source with this connection's settings.

        Args:
            arguments: What the run decides: windows, known hashes and so on.

        Raises:
            UsageError: A setting is missing or of the wrong type.
            ConfigurationError: A setting cannot be used as it is written.
        """
        factory = gong_source if self.name == DEFAULT else gong_source.with_args(name=self.name, section="gong")
        try:
            source: DltSource = factory(**{**self._credentials(), **self.given, **arguments})
        except ConfigurationException as failure:
            raise UsageError(self._what_is_missing(failure)) from failure
        return source

    def client(self, **arguments: Any) -> GongClient:
        """A client with this connection's settings.

        Args:
            arguments: As `gong_client` takes them.

        Raises:
            UsageError: A setting is missing or of the wrong type.
        """
        given = {name: self.given[name] for name in ("base_url", "requests_per_second") if name in self.given}
        try:
            return gong_client(self.name, **{**self._credentials(), **given, **arguments})
        except ConfigurationException as failure:
            raise UsageError(self._what_is_missing(failure)) from failure

    @property
    def credentials(self) -> GongCredentials | None:
        """What stands in this connection's own section; None where nothing does.

        Raises:
            UsageError: A part is missing, or there are several kinds.
        """
        try:
            return self._credentials().get("credentials")
        except ConfigurationException as failure:
            raise UsageError(self._what_is_missing(failure)) from failure

    def with_settings(self, function: Callable[..., T], **arguments: Any) -> T:
        """Calls a function whose arguments are named like settings, each found and converted by dlt.

        Args:
            function: What to call; its annotations say the types.
            arguments: Those that take the place of settings; None does not.

        Raises:
            UsageError: A setting is of the wrong type.
        """
        told = {name: value for name, value in self.given.items() if name in signature(function).parameters}
        told |= {name: value for name, value in arguments.items() if value is not None}
        try:
            result: T = with_config(function, sections=tuple(self._section.split(".")))(**told)
        except ConfigurationException as failure:
            raise UsageError(self._what_is_missing(failure)) from failure
        return result

    def pipeline(self, destination: Destination[Any, Any], dataset: str, folder: Path) -> dlt.Pipeline:
        """The dlt pipeline that keeps this connection's bookmarks in the warehouse.

        Args:
            destination: The warehouse.
            dataset: Its dataset.
            folder: dlt's working folder; nothing in it is needed again.
        """
        return dlt.pipeline(
            pipeline_name="gong" if self.name == DEFAULT else f"gong_{self.name}",
            destination=destination,
            dataset_name=dataset,
            pipelines_dir=str(folder),
        )

    @property
    def _section(self) -> str:
        return "sources.gong" if self.name == DEFAULT else f"sources.gong.{self.name}"

    def _credentials(self) -> dict[str, GongCredentials]:
        """The argument `credentials`, of the kind whose keys stand in this connection's own section; none, if none do.

        dlt tries one kind after the other through all sections: it would take the API key of another account for a
        connection that lacks a part of its own OAuth credentials.
        """
        if "credentials" in self.given:
            return {"credentials": self.given["credentials"]}
        begun = {
            kind: key
            for kind in get_args(GongCredentials)
            for key in kind.get_resolvable_fields()
            if dlt.secrets.get(f"{self._section}.credentials.{key}")
        }
        if len(begun) > 1:
            raise UsageError(
                f"[{self._section}.credentials] has credentials of several kinds ({', '.join(begun.values())}):"
                " leave one of them"
            )
        if not begun:
            return {}
        (kind,) = begun
        credentials = resolve_configuration(kind(), sections=tuple(self._section.split(".")))
        if isinstance(credentials, GongOAuth):
            credentials.account = self.name
        return {"credentials": credentials}

    def _what_is_missing(self, failure: ConfigurationException) -> str:
        section = self._section
        if isinstance(failure, ConfigFieldMissingException) and isinstance(failure.config, CredentialsConfiguration):
            names = " and ".join(f"credentials.{name}" for name in failure.traces)
            variables = " and ".join(
                f"{section}.credentials.{name}".replace(".", "__").upper() for name in failure.traces
            )
            return (
                f"{names} of connection {self.name!r} is missing: set it under [{section}.credentials] in"
                f" .dlt/secrets.toml, or {variables} in the environment"
            )
        if "credentials" in str(failure) or "access_" in str(failure):
            variable = f"{section}.credentials.access_key".replace(".", "__").upper()
            return (
                f"no credentials for connection {self.name!r}: set access_key and access_key_secret, or client_id,"
                " client_secret and refresh_token (or log in with gong-elt login), or access_token, under"
                f" [{section}.credentials] in .dlt/secrets.toml, or {variable} and {variable}_SECRET in the environment"
            )
        return f"configuration of connection {self.name!r}: {' '.join(str(failure).split())[:300]}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a run loads to.

    Attributes:
        name: The destination as the user named it.
        dataset: Dataset in it.
        destination: dlt's destination.
        folder: Where working folders and locks for this warehouse are.
    """

    name: str
    dataset: str
    destination: Destination[Any, Any]
    folder: Path

    @classmethod
    def of(cls, name: str, dataset: str, *, file: Path | None = None, folder: Path | None = None) -> Target:
        """The target with its working folder.

        Args:
            name: `duckdb`, `postgres` or another SQL destination of dlt.
            dataset: Dataset in it.
            file: DuckDB file; by default what dlt's configuration says, else `warehouse.duckdb`.
            folder: Working folder; by default one for this warehouse below dlt's data folder.

        Raises:
            WarehouseRefused: The destination cannot be used as it is configured.
        """
        destination = warehouse(name, dataset, file)
        if folder is None:
            folder = Path(active().data_dir) / "gong-elt" / identity(name, destination, dataset)
        return cls(name, dataset, destination, folder)
