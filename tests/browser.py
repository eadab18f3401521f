"""A real Chromium without a window, and a tab that notes what a page should never do."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = os.environ.get("EXPERIMENTS_BROWSER") == "required"
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]  # WebGL without a GPU
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")  # not longer: Playwright's loop runs in this thread, where no other can then
def chromium() -> Iterator[Any]:
    """Start the browser that is installed; skip where there is none, unless one is required."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        why = f"none of {', '.join(NAMES)} is installed (Debian: apt-get install chromium)"
        if REQUIRED:
            pytest.fail(why)
        pytest.skip(why)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


class Tab:
    """A page that was opened from a file.

    Parameters
    ----------
    complaints
        Console errors, exceptions, and requests to anywhere.
    exports
        What was downloaded.
    """

    def __init__(
        self, chromium: Any, file: Path, viewport: dict[str, int] = DESKTOP, **settings: Any
    ) -> None:
        self.complaints: list[str] = []
        self.exports: list[bytes] = []
        self.context = chromium.new_context(viewport=viewport, accept_downloads=True, **settings)
        self.context.set_default_timeout(30_000)  # a busy machine draws slowly
        self.url = file.as_uri()
        self.page = self.open()

    def open(self) -> Any:
        """Open the file once more, as a second tab."""
        page = self.context.new_page()
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)
        page.goto(self.url)
        return page

    def _request(self, request: Any) -> None:
        if request.url != self.url and not request.url.startswith(("data:", "blob:")):
            self.complaints.append(request.url)

    def close(self) -> None:
        """Close it; fail if it complained."""
        self.context.close()
        assert self.complaints == []
