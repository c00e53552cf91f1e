"""The setting `gong_elt.embedding`: which model turns texts into vectors, and whether it is installed."""

from __future__ import annotations

from importlib.util import find_spec

from ....runtime.configuration.command_defaults import CommandDefaults
from ....runtime.errors import UsageError
from .embedding import Embedding

LOCAL_MODEL = "wordllama"
"""Value of the setting for the model of the extra `semantic`."""

NO_MODEL = "none"
"""Value of the setting that switches search by meaning off."""


def open_embedding(defaults: CommandDefaults, *, is_required: bool) -> Embedding | None:
    """Return the model that the settings name; None if there is none.

    Args:
        defaults: The settings.
        is_required: Refuse settings without a model, and a model that is not installed.

    Raises:
        UsageError: If a setting is invalid, or a required model is missing.
    """
    setting = defaults.embedding
    if setting.startswith(("http://", "https://")):
        from .remote import RemoteEmbedding  # noqa: PLC0415 - loads an HTTP client

        if not defaults.embedding_model:
            raise UsageError("gong_elt.embedding is a URL: set gong_elt.embedding_model to the name of its model")
        return RemoteEmbedding(setting, defaults.embedding_model, defaults.embedding_key)
    if setting not in (LOCAL_MODEL, NO_MODEL):
        raise UsageError(f"gong_elt.embedding {setting!r} is unknown: use {LOCAL_MODEL}, {NO_MODEL} or a URL")
    if setting == LOCAL_MODEL and find_spec("wordllama") and find_spec("tokenizers"):
        from .static import StaticEmbedding  # noqa: PLC0415 - the packages are optional

        return StaticEmbedding()
    if not is_required:
        return None
    if setting == NO_MODEL:
        raise UsageError("search by meaning is switched off: set gong_elt.embedding, or use --mode words")
    raise UsageError("search by meaning needs a package: pip install 'gong-elt[semantic]', or use --mode words")
