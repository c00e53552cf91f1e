"""Take the pictures of the report and of the tutorial's chart: `python -m docs.pictures.report_pictures`.

Run `make demo` and the commands of docs/tutorial.md first.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.pages.browser import PHONE, WIDE, open_file

REPORT = Path("demo") / "gong-report.html"
CHART = Path("demo") / "talk_ratio.html"
PICTURES = Path(__file__).parent
SIZES = {"report-light": (WIDE, False), "report-dark": (WIDE, True), "report-phone": (PHONE, False)}


def main() -> None:
    """Write one picture per size and colour scheme, one of the calls behind a figure, and the chart."""
    take_report_pictures(REPORT)
    with open_file(CHART.absolute()) as chart:
        chart.page.locator(".vega-embed canvas, .vega-embed svg").first.screenshot(path=PICTURES / "tutorial-chart.png")


def take_report_pictures(file: Path) -> None:
    """Write the pictures of a report.

    Args:
        file: The report.
    """
    for name, (size, dark) in SIZES.items():
        with open_file(file.absolute(), size=size, dark=dark) as report:
            report.page.wait_for_selector("html[data-shown]")
            width, height = size
            # Only the top of the page: one and a half screens.
            report.page.screenshot(
                path=PICTURES / f"{name}.png",
                full_page=True,
                clip={"x": 0.0, "y": 0.0, "width": float(width), "height": 1.5 * height},
            )
    with open_file(file.absolute()) as report:
        report.page.wait_for_selector("html[data-shown]")
        report.page.locator("#competitors .open").first.click()
        report.page.screenshot(path=PICTURES / "report-calls.png")


if __name__ == "__main__":
    main()
