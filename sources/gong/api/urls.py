"""The host that a credential is sent to, and whether it may be: https, or this machine itself."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from ..errors import ConfigurationError

DEFAULT_BASE_URL = "https://api.gong.io"


def checked_base_url(url: str, setting: str = "base_url") -> str:
    """The URL without its trailing slash.

    Args:
        url: Where a credential is to be sent.
        setting: What the user knows it as.

    Raises:
        ConfigurationError: It is not an https URL, nor http on a loopback address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{setting} {url!r} is not a URL: write it like {DEFAULT_BASE_URL}")
    if parts.scheme == "http" and not is_loopback(url):
        raise ConfigurationError(f"{setting} {url!r} would send the credential in clear: use https")
    return url.rstrip("/").removesuffix("/v2")


def is_loopback(url: str) -> bool:
    """Whether the URL leads to this machine itself."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
