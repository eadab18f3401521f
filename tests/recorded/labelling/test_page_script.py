"""`scripts/labels.py page` on the command line: a run, its page in a browser, and the corrections."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.browser import Tab
from tests.messages import says
from tests.recorded.labelling.conftest import Typed

from experiments.context import Context
from experiments.recorded.labelling.clustered import ClusteredSamples
from experiments.recorded.samples import pictures_of
from experiments.store.cache import Store

pytestmark = pytest.mark.slow


@pytest.mark.browser
def test_labels_go_from_the_page_to_the_log(
    typed: Typed,
    chromium: Any,
    tmp_path: Path,
) -> None:
    code, out, _ = typed("page")
    assert code == 0
    says(out.partition("\n")[0], key="labels.html: 18 of 18 rows", use="2 with")
    tab = Tab(chromium, tmp_path / "labels.html")
    assert tab.page.locator(".tile i").count() == 18
    for name in ("day/17.png", "night/16.png"):
        tab.page.locator(f'.tile[title^="{name},"]').click()
        tab.page.keyboard.press("Enter")  # the cluster's majority
    tab.page.locator("#counts", has_text="2 changes").wait_for()
    with tab.page.expect_download() as download:
        tab.page.locator("#export").click()
    download.value.save_as(tmp_path / download.value.suggested_filename)
    tab.close()
    file = download.value.suggested_filename
    assert shlex.split(out.splitlines()[-1])[4] == file != "label_overrides_template.csv"
    code, out, _ = typed("apply", file)
    assert code == 0, out
    says(out, key="2 labels", use="0 confirmed")
    code, out, _ = typed("page", "after.html")
    says(out, key="after.html: 18 of 18 rows", use="0 with")


@pytest.mark.browser
def test_a_confirmed_label_is_no_longer_doubtful_in_the_next_page(
    typed: Typed,
    chromium: Any,
    tmp_path: Path,
) -> None:
    typed("page", "--log", "mine, and yours.csv")
    tab = Tab(chromium, tmp_path / "labels.html")
    tab.page.locator("summary", has_text="How to use").click()
    command = shlex.split(tab.page.locator("code").inner_text())
    assert command[5:7] == ["--log", "mine, and yours.csv"]
    assert command[7].startswith("tracking.uri=")
    tab.page.locator('.tile[title^="day/17.png,"]').click()
    tab.page.locator("#offered li", has_text="as it is: confirm").click()
    with tab.page.expect_download() as download:
        tab.page.locator("#export").click()
    download.value.save_as(tmp_path / command[4])
    tab.close()
    code, out, _ = typed("apply", *command[4:7])
    assert code == 0, out
    says(out, key="0 labels", use="1 confirmed")
    log = ["--log", "mine, and yours.csv"]
    says(typed("page", "after.html", *log)[1], key="after.html: 18 of 18 rows", use="1 with")
    says(typed("template", "after.csv", *log)[1], key="after.csv", use="first 1 ")


@pytest.mark.parametrize("first", ["own"], indirect=True)
def test_missing_images_are_named(typed: Typed, photos: Path, tmp_path: Path) -> None:
    (photos / "day" / "00.png").unlink()
    code, _, err = typed("page")
    assert code == 1
    says(err, key="day/00.png", use="--names")
    shutil.rmtree(photos)
    code, _, err = typed("page")
    assert code == 1
    says(err, key=f"dataset.root={photos}", use="use dataset.root=")
    code, out, _ = typed("page", "--names")
    assert code == 0
    assert out.startswith("labels.html: 18 of 18 rows")
    assert "data:image/jpeg" not in (tmp_path / "labels.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("first", ["own"], indirect=True)
def test_moved_images_are_found_at_their_new_path(
    typed: Typed,
    photos: Path,
    tmp_path: Path,
) -> None:
    photos.rename(tmp_path / "elsewhere")
    code, out, err = typed("page", "dataset.root=elsewhere")  # relative to the working directory
    assert code == 0, err
    assert "data:image/jpeg" in (tmp_path / "labels.html").read_text(encoding="utf-8")
    assert "dataset.root" not in out
    code, _, err = typed("page", "dataset.root=nowhere")
    assert code == 1
    says(err, key=f"dataset.root={tmp_path / 'nowhere'}", use="use dataset.root=")
    says(err, use="--names")
    code, _, err = typed("page", "dataset=image_folder")
    assert code == 1
    says(err, key="dataset=image_folder", use="dataset.root, ")
    assert typed("template", "dataset.root=elsewhere")[0] == 0


@pytest.mark.parametrize("first", ["own"], indirect=True)
def test_a_run_without_its_files_names_their_folder(
    typed: Typed,
    first: ClusteredSamples,
) -> None:
    recorded = Path(first.run.info.info.artifact_uri.removeprefix("file://"), "assignments.parquet")
    recorded.unlink()
    code, _, err = typed("page")
    assert code == 1
    says(err.replace("file://", ""), key="assignments.parquet", use=f"{recorded.parent}; restore its files")


def test_a_page_does_not_overwrite_a_table(typed: Typed) -> None:
    code, _, err = typed("page", "label_overrides_template.csv")
    assert (code, len(err.splitlines())) == (1, 1)
    says(err, key="FILE=label_overrides_template.csv", use="labels.html")


def test_thumbnails_are_in_the_order_of_the_ids(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    clustered = of_photos()
    ids = np.array(["night/01.png", "day/00.png", "night/03.png"])
    images = pictures_of(clustered.run, ids, 16, Context.plain(Store(tmp_path / "kept")))
    assert images.shape == (3, 8, 8, 3)  # photographs of 6 pixels are hardly enlarged
    assert (images.mean(axis=(1, 2, 3)) > 100).tolist() == [False, True, False]


def test_vectors_have_no_thumbnails(run: Callable[..., ClusteredSamples], tmp_path: Path) -> None:
    made = ["dataset=synthetic_vectors", "dataset.n=40", "dataset.classes=2"]
    clustered = run(*made, "reducer=identity", "cluster.k=2", "evaluator=[external]")
    ctx = Context.plain(Store(tmp_path / "kept"))
    assert pictures_of(clustered.run, clustered.ids, 16, ctx).shape == (0, 16, 16, 3)
