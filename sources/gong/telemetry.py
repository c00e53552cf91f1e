"""Keep dlt from sending usage data to its makers, which it does by default."""

from __future__ import annotations

import os

from dlt.common.runtime.anon_tracker import disable_anon_tracker
from dlt.common.runtime.telemetry import is_telemetry_started

VARIABLE = "RUNTIME__DLTHUB_TELEMETRY"


def disable_telemetry() -> None:
    """Turn dlt's telemetry off in this process and in those that it starts, unless the variable is set.

    The environment has precedence over the files in .dlt: `dlt init` writes `true` into config.toml if nothing turns
    telemetry off before. It imports the source first, so it writes `false`.
    """
    if VARIABLE in os.environ:
        return
    os.environ[VARIABLE] = "false"
    # A program may have run a pipeline before it imports the source.
    if is_telemetry_started():
        disable_anon_tracker()
