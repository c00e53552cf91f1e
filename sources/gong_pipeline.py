"""Examples of loading Gong with dlt; `dlt init gong duckdb --location <this repository>` copies this file."""

import dlt
from gong import gong_source


def load_everything() -> None:
    """The first run reads the last 365 days; each further one reads what is new."""
    pipeline = dlt.pipeline(pipeline_name="gong", destination="duckdb", dataset_name="gong_data")
    print(pipeline.run(gong_source()))


def load_calls_of_a_team(primary_user_ids: list[str]) -> None:
    """Calls of some hosts only, without transcripts."""
    pipeline = dlt.pipeline(pipeline_name="gong_team", destination="duckdb", dataset_name="gong_team")
    print(pipeline.run(gong_source(primary_user_ids=primary_user_ids).with_resources("calls")))


if __name__ == "__main__":
    load_everything()
