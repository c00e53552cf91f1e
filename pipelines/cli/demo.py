"""Commands that need no Gong account: demo and simulate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import report_errors, stderr, stdout

app = typer.Typer()

CallsOption = Annotated[int, typer.Option("--calls", min=1, help="Number of simulated calls")]


@app.command("demo")
def demo_command(
    folder: Annotated[Path, typer.Option(help="Folder for the demo's warehouse and report")] = Path("demo"),
    calls: CallsOption = 600,
) -> None:
    """Try it without an account: simulate Gong, sync, build the marts, query them, and write the report."""
    with report_errors():
        from ..demo.run import run_demo

        exit_code = run_demo(folder, calls, stdout(), stderr())
    raise typer.Exit(exit_code)


@app.command("simulate")
def simulate_command(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1")] = 8900,
    calls: CallsOption = 600,
    seed: Annotated[int, typer.Option(help="Seed of the generated company")] = 7,
    requests_per_second: Annotated[float, typer.Option(min=0.1, help="Rate limit of the simulated Gong")] = 3.0,
) -> None:
    """Serve a simulated Gong on 127.0.0.1, for development."""
    with report_errors():
        from ..demo.run import build_demo_gong
        from ..demo.server.serving import serve_forever

        gong = build_demo_gong(calls=calls, seed=seed)
        gong.settings.requests_per_second = requests_per_second
        stderr().print(
            f"simulated Gong with {calls} calls on http://127.0.0.1:{port}, access key 'demo', secret 'demo-secret';"
            " stop it with Ctrl-C",
            highlight=False,
        )
        serve_forever(gong.app, "127.0.0.1", port)
