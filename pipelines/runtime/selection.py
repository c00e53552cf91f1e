"""Which resources a run reads."""

from __future__ import annotations

from collections.abc import Sequence

from sources.gong import OPT_IN_RESOURCES, RESOURCES

from .connection import UsageError

_ALL = (*RESOURCES, *OPT_IN_RESOURCES)


def selection(select: str | None) -> Sequence[str]:
    """The resources that `--select` names, in the order in which they are told; without it the usual ones.

    Raises:
        UsageError: It names something else, or nothing.
    """
    if select is None:
        return RESOURCES
    names = {name.strip() for name in select.split(",") if name.strip()}
    if unknown := names - set(_ALL):
        raise UsageError(f"--select {', '.join(sorted(unknown))}: unknown; it is one of {', '.join(_ALL)}")
    if not names:
        raise UsageError(f"--select names no resource: it takes some of {', '.join(_ALL)}")
    return [name for name in _ALL if name in names]
