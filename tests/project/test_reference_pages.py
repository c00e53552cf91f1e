"""The generated reference pages match the code that they describe."""

from __future__ import annotations

import re
import tomllib

import pytest
from dlt.common.configuration import resolve_configuration
from dlt.common.configuration.specs import BaseConfiguration

from docs.generate import commands_page, exit_codes_page, settings_page, tables_page
from docs.generate.data.example_values import load_examples
from pipelines.runtime.configuration.command_defaults import CommandDefaults
from pipelines.runtime.result import EXIT_CODES as CODES_BY_STATUS
from sources.gong import GongAccessToken, GongApiKey, GongOAuth
from sources.gong.datetimes import parse_duration
from sources.gong.incremental.lookback import Lookback
from sources.gong.resources import TABLES
from sources.gong.settings import GongSettings
from tests.support.paths import REPOSITORY


def test_the_commands_page_matches_the_application() -> None:
    """A changed option or help text reaches docs/reference/commands.md."""
    assert commands_page.PAGE.read_text("utf-8") == commands_page.page(), "run `make pages`"


def test_the_exit_codes_page_matches_the_statuses() -> None:
    """A new status or exit code reaches docs/reference/exit-codes.md."""
    assert exit_codes_page.PAGE.read_text("utf-8") == exit_codes_page.page(), "run `make pages`"
    assert set(CODES_BY_STATUS.values()) <= {code for code, _, _ in exit_codes_page.EXIT_CODES}


def test_notes_on_exit_codes_name_commands_that_exist() -> None:
    """A renamed command does not keep its note under the old name."""
    assert exit_codes_page.FURTHER_FAILURES.keys() <= {command.name for command in commands_page.commands()}


def test_the_settings_page_matches_the_declarations() -> None:
    """A changed setting or default reaches docs/reference/settings.md."""
    assert settings_page.PAGE.read_text("utf-8") == settings_page.page(), "run `make pages`"


@pytest.mark.parametrize("spec", [GongSettings, GongApiKey, GongOAuth, GongAccessToken, CommandDefaults])
def test_every_setting_is_described(spec: type[BaseConfiguration]) -> None:
    """A setting without a description would be missing on the settings page."""
    assert settings_page.documented_settings(spec).keys() == spec.get_resolvable_fields().keys()


def test_examples_of_settings_are_valid() -> None:
    """A reader can copy the examples of the settings page: names, types and values are accepted."""
    blocks = re.findall(r"(?s)```toml\n(.*?)```", settings_page.page())
    examples = [tomllib.loads(block) for block in blocks]
    (of_source,) = (example["sources"]["gong"] for example in examples if "sources" in example)
    (of_commands,) = (example["gong_elt"] for example in examples if "gong_elt" in example)
    settings = resolve_configuration(GongSettings(), explicit_value={**of_source, "pii_key": "0" * 16})
    assert {name: getattr(settings, name) for name in of_source} == of_source
    Lookback.parse(settings.lookback)
    parse_duration(settings.transcript_retry_period)
    assert of_commands.keys() == CommandDefaults.get_resolvable_fields().keys()


def test_the_tables_page_matches_the_declarations() -> None:
    """A changed table, key or column reaches docs/reference/tables.md."""
    assert tables_page.PAGE.read_text("utf-8") == tables_page.page(), "run `make pages`"


def test_bookkeeping_tables_have_their_key_columns() -> None:
    """The keys that the tables page states exist."""
    for table in tables_page.BOOKKEEPING:
        assert set(table.key) <= table.column_types.keys(), table.name


def test_examples_are_of_columns_that_exist() -> None:
    """A renamed column does not lose its example, and most tables have one."""
    examples = load_examples()
    declared = {table.name: {column.name for column in table.columns} for table in TABLES}
    declared |= {table.name: set(table.column_types) for table in tables_page.BOOKKEEPING}
    assert [
        f"{table}.{column}"
        for table, values in examples.items()
        for column in values
        if table in declared and column not in declared[table]
    ] == []
    assert [name for name in declared if not examples.get(name)] == ["_rejected", "_media", "_missing_calls", "_locks"]


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/explanation/comparison.md"])
def test_pages_count_the_marts(page: str) -> None:
    """The number of marts in the texts is that of the dbt project."""
    stated = re.findall(r"(\d+) marts", (REPOSITORY / page).read_text("utf-8"))
    assert stated == [str(len(list((REPOSITORY / "pipelines" / "models" / "marts").glob("*.sql"))))]
