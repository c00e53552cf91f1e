"""Base of the request bodies that the simulated Gong accepts: documented keys only, each with its type or null."""

from datetime import datetime
from typing import Annotated

import msgspec

ZonedDatetime = Annotated[datetime, msgspec.Meta(tz=True)]


class StrictBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A JSON object in which unknown keys are an error. Each endpoint declares its own beside its handler."""
