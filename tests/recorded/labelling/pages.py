"""Tables to correct, their page in a browser, and a person's actions there."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.browser import Tab

from experiments.recorded.labelling import template
from experiments.recorded.labelling.page import render
from experiments.recorded.labelling.template import doubtful

Opener = Callable[..., Tab]


def rows(*lines: tuple[str, int, str, str]) -> pd.DataFrame:
    """Return a table of (file, cluster, label, majority), doubtful rows first, like the template."""
    table = pd.DataFrame(
        [(f"f/{file}", file, cluster, label, "", most) for file, cluster, label, most in lines],
        columns=template.COLUMNS,
    )
    order = np.argsort(~doubtful(table), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def animals() -> pd.DataFrame:
    """Return clusters of 6 and 5 images with one doubtful label each, and two images of noise."""
    cats = [(f"c{number}.png", 0, "dog" if number == 4 else "cat", "cat") for number in range(6)]
    dogs = [(f"d{number}.png", 1, "cat" if number == 0 else "dog", "dog") for number in range(5)]
    return rows(*cats, *dogs, ("n0.png", -1, "cat", ""), ("n1.png", -1, "dog", ""))


def images(count: int, pixels: int = 24) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, pixels, pixels, 3)).astype(np.uint8)


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Iterator[Opener]:
    """Return a function that opens a table's page; fail if a page reported an error."""
    tabs: list[Tab] = []

    def make(table: pd.DataFrame, pictures: np.ndarray | None = None, **settings: Any) -> Tab:
        file = tmp_path / f"page{len(tabs)}.html"
        shown = images(len(table)) if pictures is None else pictures
        file.write_text(render(table, shown, run="0123abcd", name="animals"), encoding="utf-8")
        tabs.append(Tab(chromium, file, **settings))
        return tabs[-1]

    yield make
    for tab in tabs:
        tab.close()


def tile(tab: Tab, file: str) -> Any:
    return tab.page.locator(f'.tile[title^="f/{file},"]')


def captions(tab: Tab, cluster: int) -> list[str]:
    return list(
        tab.page.locator(f"#c{cluster} .tile span").all_text_contents()
    )  # also of tiles that are not drawn yet


def label(tab: Tab, file: str, name: str) -> None:
    """Click an image and type its label."""
    tile(tab, file).click()
    tab.page.locator("#typed").fill(name)
    tab.page.locator("#typed").press("Enter")


def exported(tab: Tab) -> str:
    with tab.page.expect_download() as download:
        tab.page.locator("#export").click()
    assert download.value.suggested_filename == "labels_0123abcd.csv"
    file = Path(download.value.path())
    tab.exports.append(file.read_bytes())
    return file.read_text(encoding="utf-8-sig")


def applied(tab: Tab) -> dict[str, str]:
    """Return the applied labels in the exported table, by file."""
    return {
        row["file"]: row["applied_label"]
        for row in csv.DictReader(io.StringIO(exported(tab)))
        if row["applied_label"]
    }


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def counts(tab: Tab) -> list[int]:
    """Return the number of changed, of doubtful and (if any) of missing labels."""
    return numbers(tab.page.locator("#counts").inner_text())


def upload(tab: Tab, content: bytes) -> str:
    """Import a CSV; return the page's message about it."""
    tab.page.locator("#file").set_input_files(
        {"name": "edited.csv", "mimeType": "text/csv", "buffer": content}
    )
    status = tab.page.locator("#said", has_text="edited.csv")
    status.wait_for()
    return str(status.inner_text())
