"""`gong-elt models`: builds the dbt project in pipelines/models/ over what was loaded, and runs its tests.

dbt runs in this process, through its Python API. Its profile and logs live in a folder that is gone afterwards, what it
has parsed in the working folder, which spares the next build that; a password travels in the environment only.
"""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from destinations.warehouse import duckdb_file
from state.lock import run_lock
from state.runs import new_run_id

from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.result import Status
from ..runtime.target import Target
from .dbt_profile import dbt_profile, environment, release_duckdb_file
from .marts import DEFAULT_ANALYTICS

PROJECT = Path(__file__).parents[1] / "models"

_DATASET = "gong_dataset"
_QUIET = ("--quiet", "--no-use-colors", "--log-level", "none", "--log-level-file", "none", "--no-version-check")


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What is built.

    Attributes:
        analytics: Dataset that the models are built into.
        select: dbt's selection, such as `calls_enriched+`; everything by default.
        full_refresh: Whether models of sentences are built anew, not only for calls that changed.
        variables: Those of dbt_project.yml that differ here, as a JSON object in the user's words.
        docs: Folder that gets dbt's documentation, one HTML file; None for no documentation.
    """

    analytics: str = DEFAULT_ANALYTICS
    select: str | None = None
    full_refresh: bool = False
    variables: str = "{}"
    docs: Path | None = None


@dataclass(frozen=True, slots=True)
class BuildResult:
    """A build in figures; the fields are the keys of `--json`.

    Attributes:
        models: Tables and views that were built.
        tests: Tests that were run, failed ones among them.
        failed: A line for each model that could not be built, each test that failed, and what else went wrong.
        warnings: A line for each test that only warns: what it looks at is odd, and may be right.
        skipped: Models and tests that were not tried, because what they stand on failed.
        docs: Where dbt's documentation is.
    """

    run_id: str
    status: Status
    destination: str
    dataset: str
    analytics: str
    models: int
    tests: int
    failed: Sequence[str]
    warnings: Sequence[str]
    skipped: int
    docs: str | None
    duration_seconds: float

    def lines(self) -> Iterator[str]:
        """Yield what failed, the warnings, then the counts."""
        yield from self.failed
        yield from (f"warning: {line}" for line in self.warnings)
        failed = f", {len(self.failed):,} failed, {self.skipped:,} skipped" if self.failed else ""
        yield (
            f"{self.models:,} models built into {self.destination}, dataset {self.analytics}; {self.tests:,} tests"
            f"{failed}; {self.duration_seconds:.1f} s"
        )
        if self.docs is not None:
            yield f"documentation: {self.docs}"


def dbt_is_installed() -> bool:
    """Whether the packages of the extra `models` are there."""
    return find_spec("dbt") is not None and find_spec("dbt.adapters") is not None


def build_models(connection: Connection, target: Target, options: ModelOptions) -> BuildResult:
    """Builds the models and runs their tests.

    Args:
        connection: Which Gong account has loaded the dataset.
        target: Where the tables are; the models go beside them.
        options: What is built.

    Raises:
        UsageError: Nothing is loaded, dbt is not installed, or the options cannot be used.
        LockHeldError: Another run works on the same connection and warehouse.
    """
    if not dbt_is_installed():
        raise UsageError("dbt is not installed: pip install 'gong-elt[models]'")
    _refuse_bad_names(target, options)
    _variables(options.variables)
    clock, run_id = time.monotonic(), new_run_id(datetime.now(UTC))
    with (
        run_lock(target.folder / f"{connection.name}.lock", run_id),
        TemporaryDirectory(prefix="gong-elt-models-") as folder,
    ):
        profile, secrets = dbt_profile(connection, target, options.analytics, Path(folder) / "dlt")
        with environment(secrets):
            # dbt takes a relative path as one inside its project.
            parsed = target.folder.absolute() / f"{connection.name}-dbt"
            return DbtBuild(target, options, Path(folder), parsed, profile, run_id, clock).executed()


class DbtBuild:
    """One call of dbt, and what it said."""

    def __init__(
        self,
        target: Target,
        options: ModelOptions,
        folder: Path,
        parsed: Path,
        profile: Mapping[str, Any],
        run_id: str,
        clock: float,
    ) -> None:
        self._target, self._options, self._folder, self._parsed = target, options, folder, parsed
        self._run_id, self._clock = run_id, clock
        # JSON is YAML.
        (folder / "profiles.yml").write_text(json.dumps({"gong_elt": profile}), encoding="utf-8")

    def executed(self) -> BuildResult:
        selected = ["--select", *self._options.select.split(",")] if self._options.select else []
        # A test that compares with a model which is not built now waits until both are.
        selected += ["--indirect-selection", "cautious"] if selected else []
        refresh = ["--full-refresh"] if self._options.full_refresh else []
        with release_duckdb_file(self._target):
            outcomes, failure = self._dbt("build", *selected, *refresh)
            failed, warnings, counts, skipped = _summarise_dbt_results(outcomes)
            if failure:
                failed.insert(0, failure)
            if not outcomes and not failed:
                raise UsageError(f"--select {self._options.select!r} names no model")
            docs = None
            if self._options.docs is not None and not failed:
                _, failure = self._dbt("docs", "generate", "--static")
                docs = self._copied(self._options.docs) if failure is None else None
                failed += [f"documentation: {failure}"] if failure else []
        return BuildResult(
            run_id=self._run_id,
            status="failed" if failed else "done",
            destination=self._target.name,
            dataset=self._target.dataset,
            analytics=self._options.analytics,
            models=counts["model"],
            tests=counts["test"],
            failed=failed,
            warnings=warnings,
            skipped=skipped,
            docs=docs,
            duration_seconds=round(time.monotonic() - self._clock, 3),
        )

    def _copied(self, folder: Path) -> str:
        page = folder / "index.html"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._parsed / "static_index.html", page)
        except OSError as failure:
            raise UsageError(f"--docs {str(folder)!r} cannot be written: {failure.strerror}") from failure
        return str(page)

    def _dbt(self, *command: str) -> tuple[Sequence[Any], str | None]:
        """What dbt says of each model and test, and why it did not come so far."""
        from dbt.cli.main import dbtRunner  # noqa: PLC0415 - takes a second

        places = ("--project-dir", str(PROJECT), "--profiles-dir", str(self._folder))
        kept = ["--target-path", str(self._parsed), "--log-path", str(self._folder / "logs")]
        kept += ["--no-write-json"] if command[0] == "build" else []
        names = ("--vars", json.dumps({**_variables(self._options.variables), _DATASET: self._target.dataset}))
        result = dbtRunner().invoke([*command, *places, *kept, *names, *_QUIET, "--no-send-anonymous-usage-stats"])
        failure = None if result.exception is None else _in_short(result.exception)
        return getattr(result.result, "results", ()), failure


def _summarise_dbt_results(outcomes: Sequence[Any]) -> tuple[list[str], list[str], Counter[str], int]:
    """Lines on what failed, lines of warnings, how many models were built and tests run, how many were skipped."""
    failed, warnings, skipped = [], [], 0
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        kind = str(outcome.node.resource_type)
        if outcome.status == "skipped":
            skipped += 1
        elif kind == "test" or outcome.status == "success":
            counts[kind] += 1
        line = f"{kind} {outcome.node.name}: {_in_short(outcome.message or '')}"
        if outcome.status in ("error", "fail"):
            failed.append(line)
        elif outcome.status == "warn":
            warnings.append(line)
    return failed, warnings, counts, skipped


def _in_short(message: object) -> str:
    return " ".join(str(message).split())[:300]


def _refuse_bad_names(target: Target, options: ModelOptions) -> None:
    file = duckdb_file(target.destination)
    if options.analytics == target.dataset:
        raise UsageError(f"--analytics {options.analytics!r} is the dataset of the loaded tables: take another name")
    if not options.analytics.replace("_", "").isalnum():
        raise UsageError(f"--analytics {options.analytics!r} is no name of a dataset: letters, digits and _ only")
    if file is not None and file.stem == options.analytics:
        raise UsageError(
            f"the DuckDB file {file.name!r} is named like --analytics {options.analytics!r}, which DuckDB cannot tell"
            " apart: take another name"
        )


def _variables(words: str) -> dict[str, Any]:
    declared = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    del declared[_DATASET]
    try:
        variables = json.loads(words)
    except ValueError:
        variables = None
    if not isinstance(variables, dict) or variables.keys() - declared:
        raise UsageError(
            f"--vars {words!r} is no JSON object of these: {', '.join(sorted(declared))}; write it like"
            """ '{"gong_won_stages": ["Won"]}'"""
        )
    for name, value in variables.items():
        listed = isinstance(declared[name], list)
        if type(value) is not type(declared[name]) or (
            listed and not (value and all(isinstance(v, str) for v in value))
        ):
            raise UsageError(
                f"--vars: {name} is {json.dumps(value)}: it is of another kind than the default,"
                f" {json.dumps(declared[name])}"
            )
    return variables
