"""`gong-elt models`: build the dbt project in pipelines/models/ over the loaded tables and run its tests.

dbt runs in this process, through its Python API. Its profile and logs are in a temporary folder, its parsed project in
the working folder, so that the next build need not parse it. Passwords are passed in the environment only.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from destinations.dataset_name import datasets_of_marts
from destinations.registry import choose_engine

from ..publish.publication import plan_publication
from ..runtime.connection import Connection
from ..runtime.display.text import format_count
from ..runtime.errors import UsageError, one_line, root_cause_message
from ..runtime.job import Job
from ..runtime.process.interruption import is_caused_by_signal, temporary_folder
from ..runtime.result import Status
from ..runtime.target import Target
from .dbt_profile import dbt_profile, environment
from .marts import DEFAULT_ANALYTICS, validate_analytics

PROJECT = Path(__file__).parents[1] / "models"

_MODEL_FOLDERS = ("staging", "intermediate", "marts")
# Variables that are not the user's.
_DATASET_VARIABLE, _SNAPSHOTS_VARIABLE = "gong_dataset", "gong_snapshots"
_QUIET = ("--quiet", "--no-use-colors", "--log-level", "none", "--log-level-file", "none", "--no-version-check")
_MESSAGE_CHARACTERS = 300
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Options of one build.

    Attributes:
        analytics: Dataset into which the models are built.
        select: dbt's selection, such as `calls_enriched+`; all models by default.
        full_refresh: Rebuild incremental models completely, not only for calls that changed.
        variables: Variables of dbt_project.yml with other values than the defaults, as a JSON object.
        docs: Folder for dbt's documentation, one HTML file; None for no documentation.
        publish: File that becomes a copy of the warehouse's file after the build.
        engine: Engine that builds the models instead of the warehouse's own, such as `spark`.
    """

    analytics: str = DEFAULT_ANALYTICS
    select: str | None = None
    full_refresh: bool = False
    variables: str = "{}"
    docs: Path | None = None
    publish: str | None = None
    engine: str | None = None


@dataclass(frozen=True, slots=True)
class BuildResult:
    """Figures of a build; the fields are the keys of `--json`.

    Attributes:
        models: Tables and views built.
        tests: Tests run, including failed ones.
        failed: One line per model that could not be built, test that failed, or other error.
        warnings: One line per test that only warns, because its finding may be correct.
        skipped: Models and tests that were not run because something they depend on failed.
        docs: File with dbt's documentation.
        location: File or server of the warehouse, and the dataset of the marts, without credentials.
        published: The file of `--publish`, if it was replaced.
        engine: The engine of `--engine`.
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
    location: str = ""
    published: str | None = None
    engine: str | None = None

    def failures(self) -> Iterator[str]:
        """Yield one line per model or test that failed."""
        yield from self.failed

    def final_line(self, options: str) -> str:
        """Return where the marts are, and the next command, which reads those of the warehouse's own engine."""
        if self.engine is not None:
            return f"{self.status}: {self.location}, built by {self.engine}"
        return f"{self.status}: {self.location}; next: gong-elt report{options}"

    def lines(self) -> Iterator[str]:
        """Yield the warnings, then the counts."""
        yield from (f"warning: {line}" for line in self.warnings)
        failed = f", {len(self.failed):,} failed, {self.skipped:,} skipped" if self.failed else ""
        yield (
            f"{format_count(self.models, 'model')} built into {self.destination}, dataset {self.analytics};"
            f" {format_count(self.tests, 'test')}"
            f"{failed}; {self.duration_seconds:.1f} s"
        )
        if self.docs is not None:
            yield f"documentation: {self.docs}"
        if self.published is not None:
            yield f"published: {self.published}"


def relation_name(model: str) -> str:
    """Return the name of the table or view that a dbt model builds: the model's, without the prefix of the package."""
    return model.replace("gong__", "", 1)


def dbt_is_installed() -> bool:
    """Return whether the packages of the extra `models` are installed."""
    return find_spec("dbt") is not None and find_spec("dbt.adapters") is not None


def build_models(connection: Connection, target: Target, options: ModelOptions) -> BuildResult:
    """Build the models and run their tests.

    Args:
        connection: The Gong account whose data is in the dataset.
        target: The warehouse of the loaded tables; the models are built into the same warehouse.
        options: What to build.

    Raises:
        UsageError: If nothing was loaded yet, dbt is not installed, an option is invalid, or the dataset of the marts
            has the marts of another dataset.
        InvalidWarehouseError: If the engine cannot build in this warehouse, or something that it needs is missing.
        LockHeldError: If another run works on the same connection and dataset.
    """
    if not dbt_is_installed():
        raise UsageError("dbt is not installed: pip install 'gong-elt[models]'")
    validate_analytics(target, options.analytics)
    variables = _parse_variables(options.variables)
    publication = plan_publication(target, options.publish, (target.dataset, *datasets_of_marts(options.analytics)))
    if options.engine is not None:
        namespaces = datasets_of_marts(options.analytics)
        warehouse = choose_engine(target.warehouse, options.engine, namespaces, _model_names())
        target = replace(target, warehouse=warehouse)
    job = Job("models", connection, target)
    with job.lock(), temporary_folder("models") as folder:
        profile, dbt = dbt_profile(connection, target, options.analytics, _model_names(), folder / "dlt")
        variables |= {_DATASET_VARIABLE: target.dataset, **dbt.variables}
        # dbt does not wait for a file that another process has open.
        with environment(dbt.environment), target.warehouse.hold():
            result = DbtBuild(job, options, variables, profile, folder).run()
        if publication is None:
            return result
        published = publication.write(job)
        failed = list(result.failed) if job.error is None else [*result.failed, root_cause_message(job.error)]
        return replace(result, status=job.status, failed=failed, published=published)


class DbtBuild:
    """One build: dbt's commands and the summary of their results."""

    def __init__(
        self,
        job: Job,
        options: ModelOptions,
        variables: Mapping[str, Any],
        profile: Mapping[str, Any],
        folder: Path,
    ) -> None:
        self._job, self._options, self._variables, self._folder = job, options, variables, folder
        # dbt resolves a relative path against its project.
        self._target_folder = job.folder("-dbt").absolute()
        # JSON is YAML.
        (folder / "profiles.yml").write_text(json.dumps({"gong_elt": profile}), encoding="utf-8")

    def run(self) -> BuildResult:
        """Build, test and document the selected models."""
        select = ["--select", *_name_models(self._options.select)] if self._options.select else []
        # A test that compares a selected model with another one runs only if both are selected.
        select += ["--indirect-selection", "cautious"] if select else []
        refresh = ["--full-refresh"] if self._options.full_refresh else []
        try:
            with self._job.target.warehouse.watch_dbt() as complete_message:
                results, error = self._run_dbt("build", *select, *refresh)
            failed, warnings, counts, skipped = _summarise_dbt_results(results, complete_message)
            if error:
                failed.insert(0, error)
            if not results and not failed:
                raise UsageError(f"--select {self._options.select!r} matches no model")
            docs = None
            if self._options.docs is not None and not failed:
                _, error = self._run_dbt("docs", "generate", "--static")
                docs = self._copy_docs(self._options.docs) if error is None else None
                failed += [f"documentation: {error}"] if error else []
        finally:
            self._job.target.warehouse.close_dbt()
        self._job.has_failures = bool(failed)
        return BuildResult(
            run_id=self._job.run_id,
            status=self._job.status,
            destination=self._job.target.name,
            dataset=self._job.target.dataset,
            analytics=self._options.analytics,
            models=counts["model"],
            tests=counts["test"],
            failed=failed,
            warnings=warnings,
            skipped=skipped,
            docs=docs,
            duration_seconds=self._job.duration_seconds,
            location=replace(self._job.target, dataset=self._options.analytics).label,
            engine=self._options.engine,
        )

    def _copy_docs(self, folder: Path) -> str:
        page = folder / "index.html"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._target_folder / "static_index.html", page)
        except OSError as error:
            raise UsageError(f"--docs {str(folder)!r} cannot be written: {error.strerror}") from error
        return str(page)

    def _run_dbt(self, *command: str) -> tuple[Sequence[Any], str | None]:
        """Return dbt's result per model and test, and the error that ended the command early."""
        from dbt.cli.main import dbtRunner  # noqa: PLC0415 - takes a second

        folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(self._folder)]
        folders += ["--target-path", str(self._target_folder), "--log-path", str(self._folder / "logs")]
        artifacts = ["--no-write-json"] if command[0] == "build" else []
        variables = ["--vars", json.dumps(self._variables)]
        result = dbtRunner().invoke(
            [*command, *folders, *artifacts, *variables, *_QUIET, "--no-send-anonymous-usage-stats"]
        )
        # dbt returns a signal as an error, or as a build of nothing.
        if self._job.is_interrupted or is_caused_by_signal(result.exception):
            raise KeyboardInterrupt
        error = None if result.exception is None else one_line(result.exception, _MESSAGE_CHARACTERS)
        return getattr(result.result, "results", ()), error


def _summarise_dbt_results(
    results: Sequence[Any], complete_message: Callable[[str], str]
) -> tuple[list[str], list[str], Counter[str], int]:
    """Return one line per failure, one line per warning, the models built and tests run, the number skipped."""
    failed, warnings, skipped = [], [], 0
    counts: Counter[str] = Counter()
    for result in results:
        kind = str(result.node.resource_type)
        if result.status == "skipped":
            skipped += 1
        elif kind == "test" or result.status == "success":
            counts[kind] += 1
        message = complete_message(one_line(result.message or "", _MESSAGE_CHARACTERS))
        line = f"{kind} {result.node.name}: {message}"
        if result.status in ("error", "fail"):
            failed.append(line)
        elif result.status == "warn":
            description = getattr(result.node, "description", "")
            warnings.append(f"{kind} {result.node.name}: {result.failures:,} {description}" if description else line)
    return failed, warnings, counts, skipped


def _model_names() -> set[str]:
    """Return the names of the relations that a build replaces."""
    return set(_models_by_relation())


def _models_by_relation() -> dict[str, str]:
    """Return the dbt model of each relation."""
    files = (file for file in PROJECT.glob("*/*.sql") if file.parent.name in _MODEL_FOLDERS)
    return {relation_name(file.stem): file.stem for file in files}


def _name_models(selection: str) -> list[str]:
    """Return the parts of a selection, in which models can have the names of their relations."""
    models = _models_by_relation()
    return [
        _WORD.sub(lambda match: models.get(match[0], match[0]), part) if ":" not in part else part
        for part in selection.split(",")
    ]


def _parse_variables(text: str) -> dict[str, Any]:
    """Return the variables of `--vars`, checked against the declarations of the dbt project."""
    declared = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    del declared[_DATASET_VARIABLE], declared[_SNAPSHOTS_VARIABLE]
    try:
        variables = json.loads(text)
    except ValueError:
        variables = None
    if not isinstance(variables, dict) or variables.keys() - declared:
        raise UsageError(
            f"--vars {text!r} is not a JSON object of {', '.join(sorted(declared))}; write it like"
            """ '{"gong_won_stages": ["Won"]}'"""
        )
    for name, value in variables.items():
        is_list = isinstance(declared[name], list)
        if type(value) is not type(declared[name]) or (
            is_list and not (value and all(isinstance(item, str) for item in value))
        ):
            raise UsageError(
                f"--vars: {name} has an invalid value {json.dumps(value)}: use the type of the default,"
                f" {json.dumps(declared[name])}"
            )
    return variables
