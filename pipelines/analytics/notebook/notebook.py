"""A notebook for analysts over the marts: `gong-elt notebook`."""

import marimo

app = marimo.App(width="full", app_title="Gong calls")


with app.setup:
    import html

    import altair as alt
    import marimo as mo

    from pipelines.analytics.calls.moments import moment_url
    from pipelines.analytics.notebook.reader import MartsReader, list_call_types, since_epoch_ms
    from pipelines.analytics.report.sections.pipeline import list_warnings
    from pipelines.analytics.report.sections.reps import TALK_RATIO
    from pipelines.runtime.errors import UsageError


@app.cell
def _():
    def number(pattern):
        """Return a function that formats numbers."""
        return lambda value: "" if value is None else pattern.format(value)

    share, whole, one = number("{:.1%}"), number("{:,.0f}"), number("{:,.1f}")

    def time(value):
        """Return a date, or a time to the minute."""
        if value is None:
            return ""
        return f"{value:%Y-%m-%d %H:%M}" if hasattr(value, "hour") else f"{value:%Y-%m-%d}"

    def link(url):
        """Return a link to Gong or the CRM."""
        if not (url or "").startswith("https://"):
            return ""
        return mo.Html(
            f'<a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer" style="color:#1b66b5">Open</a>'
        )

    def show(title, note, rows, columns, wrapped=None):
        """Return a heading, a note and a table.

        `columns` has the column of each heading, alone or with a function: `share`, `whole` and `one` format numbers,
        which can still be sorted. Columns without any value are left out.
        """
        columns = {heading: (each, None) if isinstance(each, str) else each for heading, each in columns.items()}
        columns = {heading: each for heading, each in columns.items() if any(row[each[0]] is not None for row in rows)}
        numbers = {heading: made for heading, (_, made) in columns.items() if made in (share, whole, one)}
        cells = [
            {
                heading: made(row[name]) if made and heading not in numbers else "" if row[name] is None else row[name]
                for heading, (name, made) in columns.items()
            }
            for row in rows
        ]
        table = mo.ui.table(
            cells,
            format_mapping=numbers,
            text_justify_columns=dict.fromkeys(numbers, "right"),
            wrapped_columns=[wrapped] if wrapped in columns else [],
            selection=None,
        )
        return mo.vstack([mo.md(f"## {title}\n\n{note}"), table if cells else mo.md("*No rows.*")])

    return link, one, share, show, time, whole


@app.cell
def _():
    problem = ""
    try:
        reader = MartsReader.from_settings()
        with reader.open() as _query:
            options = {
                name: [row["name"] for row in _query(f"SELECT DISTINCT {column} AS name FROM {{marts}}.calls_enriched")]
                for name, column in (("team", "team"), ("rep", "host_name"))
            }
    except UsageError as error:
        problem = str(error)
    mo.stop(problem, mo.callout(mo.md(f"# Gong calls\n\n{problem}"), kind="warn"))

    call_types = list_call_types()
    call_type = mo.ui.dropdown(list(call_types), value=next(iter(call_types)), label="Calls")
    days = mo.ui.slider(7, 365, value=90, label="Days back", show_value=True)
    team, rep = (
        mo.ui.dropdown(sorted(filter(None, options[name])), label=name.capitalize(), allow_select_none=True)
        for name in ("team", "rep")
    )
    mo.vstack(
        [
            mo.md("# Gong calls"),
            mo.hstack([call_type, days, team, rep], justify="start", wrap=True),
            mo.md(f"`{reader.target.label}`, marts `{reader.analytics}`. Times are in UTC."),
        ]
    )
    return call_type, call_types, days, reader, rep, team


@app.cell
def _(call_type, call_types, days, reader, rep, team):
    # The condition for calls, and that for deals and accounts, which belong to the team and rep of their last call.
    chosen = f"{call_types[call_type.value]} AND started_epoch_ms >= %s"
    values, deal_chosen, deal_values = [since_epoch_ms(days.value)], "1 = 1", []
    for _column, _deal_column, _value in (
        ("team", "last_team", team.value),
        ("host_name", "last_host_name", rep.value),
    ):
        if _value is not None:
            chosen, values = f"{chosen} AND {_column} = %s", [*values, _value]
            deal_chosen, deal_values = f"{deal_chosen} AND {_deal_column} = %s", [*deal_values, _value]

    # The warehouse is closed again at once, so that a sync can load.
    with reader.open() as _query:
        (totals,) = _query(
            f"""
            SELECT count(*) AS calls, sum(duration_seconds) / 3600.0 AS hours, avg(host_talk_ratio) AS talk_ratio,
                avg(CASE WHEN next_step_count > 0 THEN 1.0 ELSE 0.0 END) AS next_steps
            FROM {{marts}}.calls_enriched WHERE {chosen}
            """,
            *values,
        )
        by_week = _query(
            f"""
            SELECT started_week AS week, count(*) AS calls, avg(host_talk_ratio) AS talk_ratio
            FROM {{marts}}.calls_enriched WHERE {chosen} GROUP BY started_week ORDER BY started_week
            """,
            *values,
        )
        by_host = _query(
            f"""
            SELECT coalesce(host_name, 'Unknown host') AS host, team, count(*) AS calls,
                avg(host_talk_ratio) AS talk_ratio, avg(longest_monologue_seconds) AS monologue_seconds,
                avg(patience_seconds) AS patience_seconds, avg(customer_questions_per_hour) AS customer_questions,
                avg(CASE WHEN next_step_count > 0 THEN 1.0 ELSE 0.0 END) AS next_steps
            FROM {{marts}}.calls_enriched WHERE {chosen}
            GROUP BY host_user_id, host_name, team ORDER BY calls DESC, host
            """,
            *values,
        )
        deals = _query(
            f"""
            SELECT opportunity_name, account_name, stage_now, amount_now, currency, risk_count,
                {list_warnings()} AS warnings, close_date, overdue_days, days_since_last_call, last_host_name,
                last_call_url, deal_url
            FROM {{marts}}.deal_risks WHERE {deal_chosen}
            ORDER BY risk_count DESC, coalesce(amount_now, 0) DESC, opportunity_name
            """,
            *deal_values,
        )
        accounts = _query(
            f"""
            SELECT account_name, engagement_status, open_deal_count, open_amount, calls_in_90_days,
                days_since_last_call, external_people, last_host_name, last_call_url
            FROM {{marts}}.accounts WHERE {deal_chosen}
            ORDER BY coalesce(open_amount, 0) DESC, account_name
            """,
            *deal_values,
        )
        competitors = _query(
            """
            SELECT competitor, call_count, open_deal_count, won_deal_count, lost_deal_count, win_rate, win_rate_without
            FROM {marts}.competitor_outcomes ORDER BY deal_count DESC, competitor
            """
        )
        quotes = _query(
            f"""
            WITH chosen AS (SELECT call_id, started_epoch_ms FROM {{marts}}.calls_enriched WHERE {chosen})
            SELECT quotes.started, quotes.account_name, quotes.speaker_name, quotes.tracker_names, quotes.text,
                quotes.start_time, quotes.moment_url
            FROM {{marts}}.customer_quotes AS quotes JOIN chosen ON chosen.call_id = quotes.call_id
            WHERE quotes.tracker_names IS NOT NULL
            ORDER BY chosen.started_epoch_ms DESC, quotes.call_id, quotes.sentence_index LIMIT 200
            """,
            *values,
        )
    mo.stop(not totals["calls"], mo.md("No call matches: choose another type, team, rep or period."))
    return accounts, by_host, by_week, chosen, competitors, deals, quotes, totals, values


@app.cell
def _(one, share, totals, whole):
    _figures = {
        "Calls": whole(totals["calls"]),
        "Hours": one(totals["hours"]),
        "Talk ratio of hosts": share(totals["talk_ratio"]),
        "Calls with a next step": share(totals["next_steps"]),
    }
    mo.hstack([mo.stat(text, label=label, bordered=True) for label, text in _figures.items()], widths="equal")


@app.cell
def _(by_week):
    _weeks = alt.Data(values=[{**row, "week": f"{row['week']:%Y-%m-%d}"} for row in by_week if row["week"]])
    # A temporal axis would have ticks on Sundays, and weeks begin on Mondays.
    _day = "timeFormat(toDate(datum.value + 'T12:00:00'), '%d %b')"
    _x = alt.X(
        "week:O", title="Week of", axis=alt.Axis(labelExpr=_day, labelAngle=0, labelOverlap=True, labelSeparation=12)
    )
    _tooltip = [
        alt.Tooltip("week:O", title="Week of"),
        alt.Tooltip("calls:Q", title="Calls"),
        alt.Tooltip("talk_ratio:Q", title="Talk ratio", format=".1%"),
    ]
    limit = alt.Chart(alt.Data(values=[{"ratio": TALK_RATIO.high}])).mark_rule(strokeDash=[4, 4], color="#c0392b")
    calls_chart = (
        alt.Chart(_weeks, width=430, height=220)
        .mark_bar(color="#4c78a8")
        .encode(x=_x, y=alt.Y("calls:Q", title="Calls"), tooltip=_tooltip)
    )
    talk_ratio_chart = (
        alt.Chart(_weeks, width=430, height=220)
        .mark_line(point=True, color="#4c78a8")
        .encode(
            x=_x,
            y=alt.Y("talk_ratio:Q", title="Talk ratio", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            tooltip=_tooltip,
        )
    ) + limit.encode(y="ratio:Q")
    mo.vstack(
        [
            mo.md(
                "## Calls and talk ratio by week\n\nMean over calls of the host's share of speech. The dashed line is"
                f" the upper end of what Gong recommends ({TALK_RATIO.label})."
            ),
            mo.hstack([calls_chart, talk_ratio_chart], justify="start", wrap=True),
        ]
    )
    return calls_chart, limit, talk_ratio_chart


@app.cell
def _(by_host, limit, one, share, show, whole):
    _hosts = alt.Data(values=[dict(row) for row in by_host[:15]])
    hosts_chart = (
        alt.Chart(_hosts, width=860)
        .mark_bar(color="#4c78a8")
        .encode(
            x=alt.X("talk_ratio:Q", title="Talk ratio", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("host:N", title=None, sort=None),
            tooltip=[
                alt.Tooltip("host:N", title="Rep"),
                alt.Tooltip("calls:Q", title="Calls"),
                alt.Tooltip("talk_ratio:Q", title="Talk ratio", format=".1%"),
            ],
        )
    ) + limit.encode(x="ratio:Q")
    _reps = show(
        "Reps",
        "Means over the calls that each hosted. The chart shows the 15 with most calls.",
        by_host,
        {
            "Rep": "host",
            "Team": "team",
            "Calls": "calls",
            "Talk ratio": ("talk_ratio", share),
            "Monologue (s)": ("monologue_seconds", whole),
            "Patience (s)": ("patience_seconds", one),
            "Customer questions / h": ("customer_questions", whole),
            "With next step": ("next_steps", share),
        },
    )
    mo.vstack([_reps, hosts_chart])
    return (hosts_chart,)


@app.cell
def _(deals, link, show, time, whole):
    show(
        "Open deals and their warnings",
        "As they are now, in any period.",
        deals,
        {
            "Deal": "opportunity_name",
            "Last call": ("last_call_url", link),
            "CRM": ("deal_url", link),
            "Account": "account_name",
            "Stage": "stage_now",
            "Amount": ("amount_now", whole),
            "Currency": "currency",
            "Warnings": "risk_count",
            "Which": "warnings",
            "Close date": ("close_date", time),
            "Overdue": "overdue_days",
            "Days silent": "days_since_last_call",
            "Rep": "last_host_name",
        },
    )


@app.cell
def _(accounts, link, show, whole):
    show(
        "Accounts",
        "As they are now, those with the largest open amount first.",
        accounts,
        {
            "Account": "account_name",
            "Last call": ("last_call_url", link),
            "Status": "engagement_status",
            "Open deals": "open_deal_count",
            "Open amount": ("open_amount", whole),
            "Calls in 90 days": "calls_in_90_days",
            "Days silent": "days_since_last_call",
            "External people": "external_people",
            "Rep": "last_host_name",
        },
    )


@app.cell
def _(competitors, share, show):
    show(
        "Win rate against competitors",
        "Deals with and without a mention on an external call, in any period. Differences between groups of fewer than"
        " 100 closed deals can be chance.",
        competitors,
        {
            "Competitor": "competitor",
            "Calls": "call_count",
            "Open deals": "open_deal_count",
            "Won": "won_deal_count",
            "Lost": "lost_deal_count",
            "Win rate": ("win_rate", share),
            "Win rate without": ("win_rate_without", share),
        },
    )


@app.cell
def _(link, quotes, show, time):
    show(
        "What customers said",
        "The 200 latest sentences in which Gong found a tracker. The link opens the call at this moment.",
        quotes,
        {
            "Call on": ("started", time),
            "Account": "account_name",
            "Customer": "speaker_name",
            "Trackers": "tracker_names",
            "Quote": "text",
            "At": "start_time",
            "Moment": ("moment_url", link),
        },
        wrapped="Quote",
    )


@app.cell
def _():
    words = mo.ui.text(value="price", label="Sentences that contain")
    mo.vstack([words])
    return (words,)


@app.cell
def _(chosen, link, reader, show, time, values, words):
    with reader.open() as _query:
        sentences = _query(
            f"""
            WITH chosen AS (
                SELECT call_id, started, started_epoch_ms, title, account_name, url
                FROM {{marts}}.calls_enriched WHERE {chosen}
            )
            SELECT chosen.started, chosen.title, chosen.account_name, lines.speaker_name, lines.side, lines.start_time,
                lines.start_ms, lines.end_ms, lines.text, chosen.url
            FROM {{marts}}.transcript_lines AS lines JOIN chosen ON chosen.call_id = lines.call_id
            WHERE replace(lower(lines.text), %s, '') <> lower(lines.text)
            ORDER BY chosen.started_epoch_ms DESC, lines.call_id, lines.sentence_index LIMIT 500
            """,
            *values,
            words.value.lower(),
        )
    show(
        "Sentences",
        "The newest, at most 500. The link opens the call at this moment.",
        [{**row, "moment_url": moment_url(row["url"], row["start_ms"], row["end_ms"])} for row in sentences],
        {
            "Call on": ("started", time),
            "Call": "title",
            "Account": "account_name",
            "Speaker": "speaker_name",
            "Side": "side",
            "Sentence": "text",
            "At": "start_time",
            "Moment": ("moment_url", link),
        },
        wrapped="Sentence",
    )
    return (sentences,)


if __name__ == "__main__":
    app.run()
