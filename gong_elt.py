"""Gong's calls, transcripts and library: a dlt source, Gong and its copy as Python objects, the command `gong-elt`.

    from gong_elt import Gong, gong_source

This is the public face of the package. In the wheel it is the package `gong_elt`, which contains the folders
`sources`, `destinations`, `state` and `pipelines`; see hatch_build.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.evidence.access.policy import Policy
    from pipelines.evidence.evidence import Evidence
    from pipelines.ondemand.client import Gong
    from pipelines.runtime.errors import UsageError
    from sources.gong import (
        OPT_IN_RESOURCES,
        RESOURCES,
        AuthenticationError,
        ConfigurationError,
        GongAccessToken,
        GongApiKey,
        GongError,
        GongOAuth,
        GongSettings,
        RunStopped,
        gong_source,
    )

    __version__: str

__all__ = [
    "OPT_IN_RESOURCES",
    "RESOURCES",
    "AuthenticationError",
    "ConfigurationError",
    "Evidence",
    "Gong",
    "GongAccessToken",
    "GongApiKey",
    "GongError",
    "GongOAuth",
    "GongSettings",
    "Policy",
    "RunStopped",
    "UsageError",
    "__version__",
    "gong_source",
    "main",
]


def main() -> None:
    """Run the command `gong-elt`."""
    from pipelines.cli.app import main as run  # noqa: PLC0415 - a program that imports the source needs no commands

    run()


def __getattr__(name: str) -> Any:
    """Return a public name, imported when it is first used: importing dlt takes a second."""
    value: Any
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        value = version("gong-elt")
    elif name == "Gong":
        from pipelines.ondemand.client import Gong as value  # noqa: PLC0415, N813
    elif name == "Evidence":
        from pipelines.evidence.evidence import Evidence as value  # noqa: PLC0415, N813
    elif name == "Policy":
        from pipelines.evidence.access.policy import Policy as value  # noqa: PLC0415, N813
    elif name == "UsageError":
        from pipelines.runtime.errors import UsageError as value  # noqa: PLC0415, N813
    elif name in __all__:
        import sources.gong  # noqa: PLC0415

        value = getattr(sources.gong, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, also those not imported yet."""
    return sorted({*globals(), *__all__})


if __name__ == "__main__":
    main()
