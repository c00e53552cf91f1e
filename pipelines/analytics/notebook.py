"""A notebook for analysts over the marts in DuckDB: `marimo edit pipelines/analytics/notebook.py`."""

import marimo

app = marimo.App(width="medium", app_title="Gong calls")


@app.cell
def _():
    import os
    from pathlib import Path

    import altair as alt
    import duckdb
    import marimo as mo

    return Path, alt, duckdb, mo, os


@app.cell
def _(mo, os):
    file = mo.ui.text(value=os.environ.get("GONG_WAREHOUSE", "warehouse.duckdb"), label="DuckDB file", full_width=True)
    loaded = os.environ.get("GONG_ELT__DATASET", "gong")
    marts = os.environ.get("GONG_ELT__ANALYTICS", f"{loaded}_analytics")
    dataset = mo.ui.text(value=marts, label="Dataset of the marts")
    mo.vstack([mo.md("# Gong calls"), mo.hstack([file, dataset], widths=[2, 1])])
    return dataset, file, loaded


@app.cell
def _(Path, dataset, duckdb, file, loaded, mo):
    mo.stop(
        not Path(file.value).exists(),
        mo.md(f"`{file.value}` does not exist: run `gong-elt sync` and `gong-elt models`."),
    )

    def query(sql, *parameters):
        """Return the result of a query as an Arrow table; `?` is the placeholder of a parameter.

        The file is closed between queries, because an open one cannot be written by a sync.
        """
        with duckdb.connect(file.value, read_only=True) as warehouse:
            warehouse.execute("SET TimeZone = 'UTC'")
            # Queries can then omit the dataset of the marts.
            warehouse.execute("SET search_path = '" + dataset.value.replace("'", "''") + "'")
            return warehouse.execute(sql, list(parameters)).to_arrow_table()

    # Marts of an earlier version have no record of their origin.
    has_origin = "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = '_marts'"
    origins = (
        query("SELECT dataset FROM _marts")["dataset"].to_pylist() if len(query(has_origin, dataset.value)) else []
    )
    mo.stop(
        origins not in ([], [loaded]),
        mo.md(
            f"`{dataset.value}` has the marts of dataset `{', '.join(origins)}`, not of `{loaded}`: set"
            " `GONG_ELT__DATASET` to read them."
        ),
    )

    return (query,)


@app.cell
def _(query, mo):
    teams = query("SELECT DISTINCT team FROM calls_enriched WHERE team IS NOT NULL ORDER BY 1")["team"].to_pylist()
    team = mo.ui.dropdown(options=teams, label="Team", allow_select_none=True)
    days = mo.ui.slider(7, 365, value=90, label="Days back", show_value=True)
    words = mo.ui.text(value="price", label="Sentences that contain")
    mo.hstack([team, days, words], justify="start")
    return days, team, words


@app.cell
def _(query, days, mo, team):
    call_filter = "started >= now() - to_days(CAST(? AS integer)) AND (? IS NULL OR team = ?)"
    filter_values = (days.value, team.value, team.value)
    calls = query(
        f"""
        SELECT count(*) AS calls, round(sum(duration_seconds) / 3600, 1) AS hours,
            round(avg(host_talk_ratio), 3) AS talk_ratio
        FROM calls_enriched WHERE {call_filter}
        """,
        *filter_values,
    ).to_pylist()[0]
    mo.hstack([mo.stat(label=name.replace("_", " "), value=value) for name, value in calls.items()], justify="start")
    return filter_values, call_filter


@app.cell
def _(alt, query, filter_values, call_filter, mo):
    by_week = query(
        f"""
        SELECT started_week AS week, host_name, count(*) AS calls,
            avg(host_talk_ratio) AS talk_ratio
        FROM calls_enriched WHERE {call_filter} GROUP BY ALL ORDER BY ALL
        """,
        *filter_values,
    )
    mo.vstack(
        [
            mo.md("## Calls and talk ratio by host and week"),
            mo.ui.altair_chart(
                alt.Chart(by_week)
                .mark_bar()
                .encode(
                    x=alt.X("week:O", title=None),
                    y=alt.Y("sum(calls):Q", title="Calls"),
                    color=alt.Color("host_name:N", title="Host"),
                    tooltip=["week:N", "host_name:N", "calls:Q", alt.Tooltip("talk_ratio:Q", format=".0%")],
                )
            ),
            mo.ui.table(by_week),
        ]
    )


@app.cell
def _(query, filter_values, call_filter, mo, words):
    sentences = query(
        f"""
        SELECT calls.started, calls.account_name, lines.speaker_name, lines.side, lines.start_time, lines.text,
            calls.url
        FROM transcript_lines AS lines JOIN calls_enriched AS calls USING (call_id)
        WHERE {call_filter} AND contains(lower(lines.text), lower(?)) ORDER BY calls.started DESC LIMIT 500
        """,
        *filter_values,
        words.value,
    )
    mo.vstack([mo.md("## Sentences (the newest 500)"), mo.ui.table(sentences)])


@app.cell
def _(query, mo):
    deals = query(
        """
        SELECT opportunity_name, account_name, stage_now, amount_now, days_since_last_call, external_people, stage_path
        FROM deal_activity WHERE NOT is_closed ORDER BY days_since_last_call DESC
        """
    )
    mo.vstack([mo.md("## Open deals by days since the last call"), mo.ui.table(deals)])


if __name__ == "__main__":
    app.run()
