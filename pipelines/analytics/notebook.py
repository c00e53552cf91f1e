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
    dataset = mo.ui.text(value="gong_analytics", label="Dataset of the marts")
    mo.vstack([mo.md("# Gong calls"), mo.hstack([file, dataset], widths=[2, 1])])
    return dataset, file


@app.cell
def _(Path, dataset, duckdb, file, mo):
    mo.stop(
        not Path(file.value).exists(), mo.md(f"There is no `{file.value}`: run `gong-elt sync` and `gong-elt models`.")
    )

    def ask(sql, *parameters):
        """The answer of the warehouse as an Arrow table; parameters are written `?`.

        The file is closed in between: a sync could not write it otherwise.
        """
        with duckdb.connect(file.value, read_only=True) as warehouse:
            warehouse.execute("SET TimeZone = 'UTC'")
            # Tables can then be named without their dataset.
            warehouse.execute("SET search_path = '" + dataset.value.replace("'", "''") + "'")
            return warehouse.execute(sql, list(parameters)).to_arrow_table()

    return (ask,)


@app.cell
def _(ask, mo):
    teams = ask("SELECT DISTINCT team FROM calls_enriched WHERE team IS NOT NULL ORDER BY 1")["team"].to_pylist()
    team = mo.ui.dropdown(options=teams, label="Team", allow_select_none=True)
    days = mo.ui.slider(7, 365, value=90, label="Days back", show_value=True)
    words = mo.ui.text(value="price", label="Said, in part")
    mo.hstack([team, days, words], justify="start")
    return days, team, words


@app.cell
def _(ask, days, mo, team):
    chosen = "started >= now() - to_days(CAST(? AS integer)) AND (? IS NULL OR team = ?)"
    choice = (days.value, team.value, team.value)
    calls = ask(
        f"""
        SELECT count(*) AS calls, round(sum(duration_seconds) / 3600, 1) AS hours,
            round(avg(talk_ratio), 3) AS talk_ratio
        FROM calls_enriched WHERE {chosen}
        """,
        *choice,
    ).to_pylist()[0]
    mo.hstack([mo.stat(label=name.replace("_", " "), value=value) for name, value in calls.items()], justify="start")
    return choice, chosen


@app.cell
def _(alt, ask, choice, chosen, mo):
    by_week = ask(
        f"""
        SELECT CAST(date_trunc('week', started) AS date) AS week, host_name, count(*) AS calls,
            avg(talk_ratio) AS talk_ratio
        FROM calls_enriched WHERE {chosen} GROUP BY ALL ORDER BY ALL
        """,
        *choice,
    )
    mo.vstack(
        [
            mo.md("## Calls and talk ratio of hosts, by week"),
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
def _(ask, choice, chosen, mo, words):
    said = ask(
        f"""
        SELECT calls.started, calls.account_name, lines.speaker_name, lines.side, lines.start_time, lines.text,
            calls.url
        FROM transcript_lines AS lines JOIN calls_enriched AS calls USING (call_id)
        WHERE {chosen} AND contains(lower(lines.text), lower(?)) ORDER BY calls.started DESC LIMIT 500
        """,
        *choice,
        words.value,
    )
    mo.vstack([mo.md("## What was said (the newest 500)"), mo.ui.table(said)])


@app.cell
def _(ask, mo):
    deals = ask(
        """
        SELECT opportunity_name, account_name, stage_now, amount_now, days_since_last_call, external_people, stage_path
        FROM deal_activity WHERE NOT is_closed ORDER BY days_since_last_call DESC
        """
    )
    mo.vstack([mo.md("## Open deals, the longest silent first"), mo.ui.table(deals)])


if __name__ == "__main__":
    app.run()
