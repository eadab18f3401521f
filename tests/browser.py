"""A headless Chromium, and a tab that records errors of a page."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")  # the cheapest first
REQUIRED = os.environ.get("EXPERIMENTS_BROWSER") == "required"
ARGUMENTS = [
    "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",  # WebGL without a GPU
    "--disable-gpu-compositing",  # or every page is put together by that slow one
]  # fmt: skip
EMPTY = Path(__file__).with_name("empty.html")
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def started_chromium() -> Iterator[Any]:
    """Start the installed browser; skip the test if there is none, unless one is required."""
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
        asyncio._set_running_loop(browser._loop)
        Tab.kept.clear()
        browser.close()


@pytest.fixture(scope="module")
def chromium(started_chromium: Any) -> Iterator[Any]:
    """Return the browser; Playwright's event loop counts as running meanwhile, so that no other can run."""
    asyncio._set_running_loop(started_chromium._loop)
    yield started_chromium
    asyncio._set_running_loop(None)


class Tab:
    """A page that was opened from a file.

    A page takes Chromium a second to make, so one that was closed is emptied and kept for the next that is to
    be as large.

    Parameters
    ----------
    alone
        Make a page that no other was before, and throw it away.
    complaints
        Console errors, exceptions, and requests to anywhere.
    exports
        What was downloaded.
    """

    kept: ClassVar[dict[tuple[Any, str], Any]] = {}  # emptied pages by browser and settings

    def __init__(
        self,
        chromium: Any,
        file: Path,
        viewport: dict[str, int] = DESKTOP,
        *,
        alone: bool = False,
        **settings: Any,
    ) -> None:
        self.complaints: list[str] = []
        self.exports: list[bytes] = []
        self.url = file.as_uri()
        self.listened: list[tuple[Any, str, Any]] = []
        self.settings = None if alone else (chromium, repr((viewport, settings)))
        page = self.kept.pop(self.settings, None) if self.settings else None
        if page is None:
            context = chromium.new_context(viewport=viewport, accept_downloads=True, **settings)
            context.set_default_timeout(30_000)  # a busy machine draws slowly
            page = context.new_page()
        self.context = page.context
        self.page = self._shown(page)

    def open(self) -> Any:
        """Open the file once more, as a second tab."""
        return self._shown(self.context.new_page())

    def _shown(self, page: Any) -> Any:
        for event, heard in {
            "console": lambda said: said.type == "error" and self.complaints.append(said.text),
            "pageerror": lambda error: self.complaints.append(str(error)),
            "request": self._request,
        }.items():
            page.on(event, heard)
            self.listened.append((page, event, heard))
        page.goto(self.url)
        return page

    def _request(self, request: Any) -> None:
        if request.url != self.url and not request.url.startswith(("data:", "blob:")):
            self.complaints.append(request.url)

    def close(self) -> None:
        """Close the page; fail if it had errors."""
        if self.settings is None or self.settings in self.kept:
            self.context.close()
        else:
            self._empty()
            self.kept[self.settings] = self.page
        assert self.complaints == []

    def _empty(self) -> None:
        """Leave nothing of the file to the next, whose page runs in the same process as it is a file too."""
        for page in self.context.pages:
            if page != self.page:
                page.close()
        for page, event, heard in self.listened:
            page.remove_listener(event, heard)
        self.page.mouse.move(0, 0)
        self.page.goto(EMPTY.as_uri())
        self.page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        self.context.clear_cookies()
