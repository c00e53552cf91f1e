"""Run `gong-elt`, and write seconds and CPU seconds of dlt's load steps into a file of the current folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import dlt

from pipelines.cli.app import main

FILE_NAME = "load_seconds"


def run() -> None:
    """Run the command line with a stop watch."""
    load, wall, cpu = dlt.Pipeline.load, [0.0], [0.0]

    def timed_load(pipeline: dlt.Pipeline, *arguments: Any, **options: Any) -> Any:
        started_at, cpu_before = time.perf_counter(), time.process_time()
        try:
            return load(pipeline, *arguments, **options)
        finally:
            wall.append(time.perf_counter() - started_at)
            cpu.append(time.process_time() - cpu_before)

    stopwatch: Any = timed_load
    dlt.Pipeline.load = stopwatch  # type: ignore[method-assign]
    try:
        main()
    finally:
        Path(FILE_NAME).write_text(f"{sum(wall)} {sum(cpu)}", encoding="utf-8")


if __name__ == "__main__":
    run()
