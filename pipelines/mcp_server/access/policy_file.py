"""The file that grants access over HTTP: tokens by their SHA-256, each with what its holder may read."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ...evidence.access.policy import Policy
from ...runtime.errors import UsageError, one_line

_LISTS = ("workspaces", "teams", "accounts")
_RIGHTS = {"query": "allow_query", "transcripts": "allow_transcripts"}
_KEYS = ("name", "sha256", *_LISTS, *_RIGHTS)
_NAME = re.compile(r"[\w.@+-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TOKEN_PREFIX = "gong-elt-"
_NEW_TOKEN = "gong-elt mcp --new-token NAME prints both"


@dataclass(frozen=True, slots=True)
class Grant:
    """A token and what its holder may read.

    Attributes:
        name: Name of the token, as in the audit log.
        sha256: SHA-256 of the token, in lower-case hexadecimal digits.
        policy: What its holder may read.
    """

    name: str
    sha256: str
    policy: Policy


def create_token() -> tuple[str, str]:
    """Return a new random token and its SHA-256."""
    token = _TOKEN_PREFIX + secrets.token_urlsafe(32)
    return token, hash_token(token)


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token, as in the file."""
    return hashlib.sha256(token.encode()).hexdigest()


def format_new_token(name: str) -> str:
    """Return a new token, and the section for the file that grants it everything.

    Raises:
        UsageError: If the name is invalid.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"--new-token {name!r} is invalid: use up to 64 letters, digits, or one of . @ + - _")
    token, sha256 = create_token()
    return (
        f"Token of {name}, shown only now: {token}\n\n"
        f'Add to the policy file:\n\n[[tokens]]\nname = "{name}"\nsha256 = "{sha256}"\n'
    )


def find_grant(grants: Sequence[Grant], token: str) -> Grant | None:
    """Return the grant of a token, or None. The time does not depend on how much of a hash matches."""
    sha256 = hash_token(token)
    found = None
    for grant in grants:
        if hmac.compare_digest(grant.sha256, sha256):
            found = grant
    return found


def load_grants(file: Path, warn: Callable[[str], None]) -> tuple[Grant, ...]:
    """Return the grants of a file; at least one.

    Args:
        file: A TOML file with a section `[[tokens]]` per token.
        warn: Prints a warning: other users of this machine can read the file.

    Raises:
        UsageError: If the file cannot be read, others can change it, or it is invalid. The message is one line that
            names the file and the key.
    """
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(file.stat().st_mode)
            content = tomllib.load(opened)
    except OSError as error:
        raise UsageError(f"policy {file}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"policy {file}: not valid TOML: {one_line(error)}") from error
    if mode & 0o022:
        raise UsageError(f"policy {file}: others can change it, and grant themselves access: chmod 600 {file}")
    if mode & 0o044:
        warn(f"policy {file}: other users of this machine can read it: chmod 600 {file}")
    try:
        return tuple(_parse_grants(content))
    except UsageError as error:
        raise UsageError(f"policy {file}: {error}") from error


def _parse_grants(content: Mapping[str, Any]) -> Iterator[Grant]:
    _refuse_unknown_keys("", content, ("tokens",))
    tokens = content.get("tokens")
    if not isinstance(tokens, list) or not tokens:
        raise UsageError("it has no section [[tokens]]: add one per token, with name and sha256")
    names: dict[str, str] = {}
    hashes: dict[str, str] = {}
    for number, section in enumerate(tokens, 1):
        place = f"tokens[{number}]"
        if not isinstance(section, dict):
            raise UsageError(f"{place} must be a section [[tokens]]")
        _refuse_unknown_keys(f"{place}.", section, _KEYS)
        name = _parse_text(f"{place}.name", section.get("name"), _NAME, "up to 64 letters, digits, or one of . @ + - _")
        sha256 = _parse_text(f"{place}.sha256", section.get("sha256"), _SHA256, "64 hexadecimal digits in lower case")
        for key, value, seen in (("name", name, names), ("sha256", sha256, hashes)):
            if value in seen:
                raise UsageError(f"{place}.{key} is the same as {seen[value]}.{key}: each token needs its own")
            seen[value] = place
        yield Grant(name, sha256, _parse_policy(place, section))


def _parse_policy(place: str, section: Mapping[str, Any]) -> Policy:
    lists = {key: _parse_list(f"{place}.{key}", section[key]) for key in _LISTS if key in section}
    rights = {
        parameter: _parse_right(f"{place}.{key}", section[key]) for key, parameter in _RIGHTS.items() if key in section
    }
    return Policy(**lists, **rights)  # type: ignore[arg-type]


def _parse_text(place: str, value: object, pattern: re.Pattern[str], form: str) -> str:
    if value is None:
        raise UsageError(f"{place} is missing: {_NEW_TOKEN}")
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise UsageError(f"{place} is invalid: use {form}; {_NEW_TOKEN}")
    return value


def _parse_list(place: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise UsageError(f'{place} must be a list of names, such as ["EMEA"]')
    if not value:
        raise UsageError(f"{place} is empty: name what the token may read, or remove the key to allow all")
    return tuple(value)


def _parse_right(place: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{place} must be true or false")
    return value


def _refuse_unknown_keys(prefix: str, section: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in section:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            advice = f"did you mean {close[0]!r}?" if close else f"use {', '.join(known)}"
            raise UsageError(f"{prefix}{one_line(key, 100)} is unknown: {advice}")
