"""A model behind an OpenAI-compatible URL. It receives the text of all calls, if it is configured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import stamina

from state.sql import batches

from ....runtime.errors import UsageError, one_line
from .embedding import Vectors, normalize

_TEXTS_PER_REQUEST = 64
_ATTEMPTS = 5
_TIMEOUT_SECONDS = 60.0
_LONGEST_REASON = 200


class RemoteEmbedding:
    """A model of a server that answers `POST {url}/embeddings` as OpenAI does."""

    is_local = False

    def __init__(self, url: str, model: str, key: str | None) -> None:
        """Check nothing: the first request does.

        Args:
            url: URL of the API, such as `https://api.example.com/v1`.
            model: Name of the model.
            key: Key that is sent as a bearer token; None to send none.
        """
        self._url, self._model, self._key = f"{url.rstrip('/')}/embeddings", model, key

    @property
    def name(self) -> str:
        """The model and its URL."""
        return f"{self._model} {self._url}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vector of each text.

        Raises:
            UsageError: If the server cannot be reached, refuses a request, or answers in another format.
        """
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        with httpx.Client(headers=headers, timeout=_TIMEOUT_SECONDS) as client:
            parts = [self._request(client, batch) for batch in batches(texts, _TEXTS_PER_REQUEST)]
        return normalize(np.array([vector for part in parts for vector in part]))

    def _request(self, client: httpx.Client, texts: Sequence[str]) -> list[list[float]]:
        # Servers refuse an empty text.
        body = {"model": self._model, "input": [text or " " for text in texts]}
        try:
            for attempt in stamina.retry_context(on=_is_temporary, attempts=_ATTEMPTS):
                with attempt:
                    response = client.post(self._url, json=body)
                    response.raise_for_status()
        except httpx.HTTPStatusError as error:
            reason = one_line(error.response.text)[:_LONGEST_REASON]
            raise UsageError(
                f"the embedding server {self._url} answered {error.response.status_code}: {reason};"
                " check gong_elt.embedding, embedding_model and embedding_key"
            ) from error
        except httpx.HTTPError as error:
            raise UsageError(
                f"the embedding server {self._url} cannot be reached: {one_line(str(error))}; check gong_elt.embedding"
            ) from error
        return self._vectors(response, len(texts))

    def _vectors(self, response: httpx.Response, count: int) -> list[list[float]]:
        try:
            data: list[dict[str, Any]] = sorted(response.json()["data"], key=lambda item: int(item["index"]))
            vectors = [[*map(float, item["embedding"])] for item in data]
        except (ValueError, TypeError, KeyError):
            vectors = []
        if len(vectors) != count or len({*map(len, vectors)}) != 1:
            raise UsageError(f"the embedding server {self._url} did not answer with one vector per text")
        return vectors


def _is_temporary(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code == httpx.codes.TOO_MANY_REQUESTS or error.response.is_server_error
    return isinstance(error, httpx.TransportError)
