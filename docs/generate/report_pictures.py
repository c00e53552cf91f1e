"""Take the pictures of docs/report.md; run `make demo` first, then `python -m docs.generate.report_pictures`."""

from __future__ import annotations

from pathlib import Path

from tests.support.browser import PHONE, WIDE, open_file

REPORT = Path("demo") / "gong-report.html"
PICTURES = Path(__file__).parents[1] / "pictures"
SIZES = {"report-light": (WIDE, False), "report-dark": (WIDE, True), "report-phone": (PHONE, False)}


def main() -> None:
    """Write one picture per size and colour scheme."""
    PICTURES.mkdir(exist_ok=True)
    for name, (size, dark) in SIZES.items():
        with open_file(REPORT.absolute(), size=size, dark=dark) as report:
            report.page.wait_for_selector("html[data-shown]")
            width, height = size
            # Only the top of the page: one and a half screens.
            report.page.screenshot(
                path=PICTURES / f"{name}.png",
                full_page=True,
                clip={"x": 0.0, "y": 0.0, "width": float(width), "height": 1.5 * height},
            )


if __name__ == "__main__":
    main()
