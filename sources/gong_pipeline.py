"""Examples of loading Gong with dlt; `dlt init gong duckdb --location <this repository>` copies this file."""

import dlt
from gong import gong_source


def load_all_resources() -> None:
    """Load all default resources: 365 days at the first run, what is new at later runs."""
    pipeline = dlt.pipeline(pipeline_name="gong", destination="duckdb", dataset_name="gong_data")
    print(pipeline.run(gong_source()))


def load_calls_of_hosts(primary_user_ids: list[str]) -> None:
    """Load the calls of some hosts, without transcripts."""
    pipeline = dlt.pipeline(pipeline_name="gong_team", destination="duckdb", dataset_name="gong_team")
    print(pipeline.run(gong_source(primary_user_ids=primary_user_ids).with_resources("calls")))


if __name__ == "__main__":
    load_all_resources()
