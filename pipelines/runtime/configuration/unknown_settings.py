"""Refuse settings that do not exist: a misspelt one would be ignored and change what is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import get_args

from sources.gong import GongCredentials
from sources.gong.settings import GongSettings

from ..errors import UsageError
from .configured import ConfiguredSetting, list_settings

SOURCE_SECTION = ("sources", "gong")
RENAMED_SETTINGS = {"transcript_patience": "transcript_retry_period"}
"""Settings of earlier versions by their present names. An earlier name is refused, not ignored."""

_CREDENTIALS = "credentials"
_DLT_SECTIONS = frozenset({"schema", "data_writer", "extract", "normalize", "load", "max_table_nesting"})
"""Settings that dlt itself reads below the section of any source."""


def source_settings() -> frozenset[str]:
    """Return the names of everything directly below `sources.gong` that is not the section of a connection."""
    return frozenset({*GongSettings.get_resolvable_fields(), *RENAMED_SETTINGS, _CREDENTIALS, *_DLT_SECTIONS})


def refuse_unknown_settings(section: tuple[str, ...], known: Iterable[str]) -> None:
    """Refuse a setting of a flat section that is not known.

    Raises:
        UsageError: If one is set. The message has the closest known name.
    """
    names = {(name,) for name in known}
    for setting in list_settings(*section):
        if setting.path not in names:
            raise UsageError(_describe(section, setting, names))


def refuse_unknown_source_settings(settings: Iterable[ConfiguredSetting]) -> None:
    """Refuse a setting below `sources.gong`, or in the section of a connection, that is not known.

    Args:
        settings: All settings below `sources.gong`.

    Raises:
        UsageError: If one is unknown or was renamed. The message has the closest known name.
    """
    for setting in settings:
        path = setting.path
        connection = () if path[0] in source_settings() or len(path) == 1 else path[:1]
        own = path[len(connection) :]
        if own[0] in RENAMED_SETTINGS:
            raise UsageError(f"{'.'.join((*SOURCE_SECTION, *path))} was renamed: set {RENAMED_SETTINGS[own[0]]}")
        if own[0] not in _DLT_SECTIONS and own not in _known_paths():
            candidates = {*_known_paths(), *((*connection, *known) for known in _known_paths())}
            raise UsageError(_describe(SOURCE_SECTION, setting, candidates))


def configured_connections(settings: Iterable[ConfiguredSetting]) -> list[str]:
    """Return the names of the connections with settings of their own, other than the default one, sorted."""
    return sorted({path[0] for path in (setting.path for setting in settings) if path[0] not in source_settings()})


def has_own_settings(settings: Iterable[ConfiguredSetting], connection: str) -> bool:
    """Return whether one of the settings is in the section of a connection. Variables are in capitals."""
    return any(
        setting.path[0] == (connection.lower() if setting.place is None else connection) and len(setting.path) > 1
        for setting in settings
    )


def _known_paths() -> set[tuple[str, ...]]:
    credentials = {name for kind in get_args(GongCredentials) for name in kind.get_resolvable_fields()}
    # One variable may hold all credentials as JSON.
    return {(name,) for name in (*GongSettings.get_resolvable_fields(), _CREDENTIALS)} | {
        (_CREDENTIALS, name) for name in credentials
    }


def _describe(section: tuple[str, ...], setting: ConfiguredSetting, known: Iterable[tuple[str, ...]]) -> str:
    names = {".".join(path): path for path in known}
    name = ".".join((*section, *setting.path))
    variable = _variable(section, setting.path)
    closest = next(iter(get_close_matches(".".join(setting.path).lower(), names, 1)), None)
    subject = f"the environment variable {variable}" if setting.place is None else f"{name} in {setting.place}"
    if closest is None:
        top_level = sorted(path[0] for path in names.values() if len(path) == 1)
        return f"{subject} is an unknown setting: remove it, or use one of {', '.join(top_level)}"
    suggestion = f"{closest} ({_variable(section, names[closest])})" if setting.place is None else closest
    return f"{subject} is an unknown setting: did you mean {suggestion}?"


def _variable(section: tuple[str, ...], path: tuple[str, ...]) -> str:
    return "__".join((*section, *path)).upper()
