"""Who we are to Gong: an API key (Basic) or a bearer token, as dlt reads them and as httpx sends them."""

from __future__ import annotations

from collections.abc import Generator

import httpx
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import CredentialsConfiguration
from dlt.common.typing import TSecretStrValue

from .errors import SettingRefused


@configspec
class GongApiKey(CredentialsConfiguration):
    """An API key, made by a technical administrator under Company settings > Ecosystem > API.

    Attributes:
        access_key: The key's name; Gong shows it again.
        access_key_secret: Its secret; Gong shows it once.
    """

    access_key: str = None  # type: ignore[assignment]  # dlt's mark for "required"
    access_key_secret: TSecretStrValue = None  # type: ignore[assignment]  # likewise

    def auth(self) -> httpx.Auth:
        """The header `Authorization: Basic base64(access_key:access_key_secret)`.

        Raises:
            SettingRefused: One of them is empty.
        """
        if not self.access_key or not self.access_key_secret:
            raise SettingRefused("credentials.access_key or credentials.access_key_secret is empty: fill in both")
        return httpx.BasicAuth(self.access_key, self.access_key_secret)


@configspec
class GongAccessToken(CredentialsConfiguration):
    """A bearer token as it is, for example one that another service keeps fresh.

    Attributes:
        access_token: The token, without the word Bearer.
    """

    access_token: TSecretStrValue = None  # type: ignore[assignment]  # dlt's mark for "required"

    def auth(self) -> httpx.Auth:
        """The header `Authorization: Bearer <access_token>`.

        Raises:
            SettingRefused: The token is empty.
        """
        if not self.access_token:
            raise SettingRefused("credentials.access_token is empty: fill it in")
        return BearerAuth(self.access_token)


GongCredentials = GongApiKey | GongAccessToken


class BearerAuth(httpx.Auth):
    """Sends a token that is renewed elsewhere."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Puts the header on the request."""
        request.headers["Authorization"] = self._header
        yield request
