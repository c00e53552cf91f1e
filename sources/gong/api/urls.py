"""Validate URLs that receive credentials: https, or http on a loopback address."""

from __future__ import annotations

from ipaddress import ip_address
from socket import inet_aton
from urllib.parse import urlsplit

import httpx

from ..errors import ConfigurationError
from ..settings import DEFAULT_BASE_URL


def validate_base_url(url: str, setting: str = "base_url") -> str:
    """Return the URL without its trailing slash and without `/v2`.

    Args:
        url: URL that credentials are sent to.
        setting: Name of the setting that holds it, for the error message.

    Raises:
        ConfigurationError: If it is neither an https URL nor http on a loopback address.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        # Reading the port validates it.
        host = httpx.URL(url).host if parts.scheme in ("http", "https") and parts.port != 0 else ""
    except (httpx.InvalidURL, ValueError):
        host = ""
    if not host:
        raise ConfigurationError(f"{setting} {url!r} is not a URL: use one like {DEFAULT_BASE_URL}")
    if parts.scheme == "http" and not is_loopback(url):
        raise ConfigurationError(f"{setting} {url!r} would send the credential in clear text: use https")
    return url.rstrip("/").removesuffix("/v2")


def remove_userinfo(url: str) -> str:
    """Return the URL without user name and password, which must not be printed."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def is_loopback(url: str) -> bool:
    """Return whether the URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def leads_to_loopback(url: str) -> bool:
    """Return whether the URL's host is this machine in any notation, such as `127.1` or `[::ffff:127.0.0.1]`."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        try:
            address = ip_address(inet_aton(host))
        except (OSError, ValueError):
            return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified
