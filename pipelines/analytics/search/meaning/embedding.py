"""A model that turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
"""One row per text, each of length 1, or 0 for a text without words."""


class Embedding(Protocol):
    """A model that turns texts into vectors, which are similar for texts of similar meaning."""

    @property
    def name(self) -> str:
        """Name of the model and its source; vectors of different names cannot be compared."""

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine, so that a few more texts cost nothing."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vector of each text.

        Raises:
            UsageError: If the model cannot be reached or refuses the texts.
        """


def normalize(vectors: np.ndarray[Any, Any]) -> Vectors:
    """Return vectors of length 1; one of length 0 stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    normalized: Vectors = (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return normalized
