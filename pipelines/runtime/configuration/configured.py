"""Settings as they are written in dlt's TOML files and in environment variables."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlt.common.configuration.container import Container
from dlt.common.configuration.providers.toml import (
    GLOBAL_ORIGIN_PREFIX,
    SettingsTomlProvider,
    TomlProviderReadException,
)
from dlt.common.configuration.specs import PluggableRunContext

from ..errors import UsageError, one_line


@dataclass(frozen=True, slots=True)
class ConfiguredSetting:
    """A setting that a file or an environment variable sets.

    Attributes:
        path: Its name below the section, such as `("credentials", "access_key")`.
        place: The file, such as `.dlt/config.toml`; None for an environment variable.
    """

    path: tuple[str, ...]
    place: str | None


def list_settings(*section: str) -> list[ConfiguredSetting]:
    """Return all settings below a section, such as `("sources", "gong")`. Vaults cannot be listed.

    Raises:
        UsageError: If a file is not valid TOML.
    """
    prefix = "".join(f"{part}__" for part in section).upper()
    settings = [
        ConfiguredSetting(tuple(name.removeprefix(prefix).lower().split("__")), None)
        for name in os.environ
        if name.startswith(prefix)
    ]
    *parents, key = section
    for provider in _toml_providers():
        values, _ = provider.get_value(key, dict, "", *parents)
        for path in _paths(values) if isinstance(values, Mapping) else ():
            place = provider.get_value_location(path[-1], None, *section, *path[:-1])
            is_global = place.startswith(GLOBAL_ORIGIN_PREFIX)
            name = f"dlt's global {place.removeprefix(GLOBAL_ORIGIN_PREFIX)}" if is_global else f".dlt/{place}"
            settings.append(ConfiguredSetting(path, name))
    return settings


def configured_destinations() -> list[str]:
    """Return the names of the destinations with credentials, sorted."""
    return sorted({setting.path[0] for setting in list_settings("destination") if "credentials" in setting.path[1:2]})


def _toml_providers() -> list[SettingsTomlProvider]:
    try:
        providers = Container()[PluggableRunContext].providers.providers
    except TomlProviderReadException as error:
        raise UsageError(_describe_invalid_file(error)) from error
    return [provider for provider in providers if isinstance(provider, SettingsTomlProvider)]


def _paths(values: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((name, *path) for path in _paths(value))
        else:
            yield (name,)


def _describe_invalid_file(error: TomlProviderReadException) -> str:
    """Return the file that dlt could not read, and the place of the mistake in it."""
    for path in error.full_paths:
        try:
            tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as reason:
            file = Path(path)
            name = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
            return f"{name} cannot be read: {one_line(reason, 200)}; correct the file"
    return one_line(error, 300)
