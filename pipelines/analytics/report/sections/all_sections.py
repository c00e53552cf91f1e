"""All sections of the report, from top to bottom."""

from __future__ import annotations

from .calls import NEXT_STEPS, QUOTES_AND_LIBRARY
from .competitors import COMPETITORS
from .overview import OVERVIEW
from .pipeline import PIPELINE
from .reps import COACHING, REPS
from .topics import TRACKERS_AND_TOPICS

SECTIONS = (
    *OVERVIEW,
    *PIPELINE,
    *REPS,
    *COMPETITORS,
    *TRACKERS_AND_TOPICS,
    *NEXT_STEPS,
    *COACHING,
    *QUOTES_AND_LIBRARY,
)
"""The sections. A narrow section shares its row of the page with the narrow one that follows."""
