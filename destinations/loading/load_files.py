"""The format of the files that dlt writes and reads once, between Gong and the warehouse."""

from __future__ import annotations

import dlt

_DISABLE_COMPRESSION = "data_writer.disable_compression"


def disable_compression() -> None:
    """Write load files without compression, unless the user has configured it.

    They are deleted after the load. Compressing those for PostgreSQL takes as long as everything else of a first load.
    """
    if dlt.config.get(_DISABLE_COMPRESSION) is None:
        dlt.config[_DISABLE_COMPRESSION] = True
