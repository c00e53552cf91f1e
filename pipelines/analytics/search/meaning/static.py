"""The local model: WordLlama's static embeddings, whose weights are in its package. Nothing is downloaded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from tokenizers import Encoding, Tokenizer

from state.sql import batches

from .embedding import Vectors, normalize

_TEXTS_PER_BATCH = 1_000


class StaticEmbedding:
    """A vector per token, of which a text has the mean.

    The files are read without the package's own code, which would look for the tokenizer in a folder that the package
    does not have, and then download it.
    """

    name = "wordllama l2_supercat 256"
    is_local = True

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vector of each text."""
        means = np.zeros((len(texts), self._weights.shape[1]), np.float32)
        for number, encoding in enumerate(self._encode(texts)):
            if encoding.ids:
                means[number] = self._weights[encoding.ids].mean(axis=0)
        return normalize(means)

    def _encode(self, texts: Sequence[str]) -> Iterator[Encoding]:
        for batch in batches(texts, _TEXTS_PER_BATCH):
            yield from self._tokenizer.encode_batch_fast([*batch], add_special_tokens=False)

    @cached_property
    def _weights(self) -> Vectors:
        """The vector of each token, from a file in the format safetensors: a length, a JSON header, the numbers."""
        content = (_package_folder() / "weights" / "l2_supercat_256.safetensors").read_bytes()
        start = 8 + int.from_bytes(content[:8], "little")
        shape = json.loads(content[8:start])["embedding.weight"]["shape"]
        weights: Vectors = np.frombuffer(content, np.float16, offset=start).reshape(shape).astype(np.float32)
        return weights

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(_package_folder() / "tokenizers" / "l2_supercat_tokenizer_config.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer


def _package_folder() -> Path:
    package = find_spec("wordllama")
    assert package is not None
    assert package.submodule_search_locations is not None
    return Path(package.submodule_search_locations[0])
