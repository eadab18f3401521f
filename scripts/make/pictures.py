"""Make docs/pictures from real runs on data that scikit-learn ships.

python scripts/make/pictures.py
python scripts/make/pictures.py --only report runs --work <a folder whose runs are reused>

It takes a few minutes and needs Chromium for the pages. Each picture is at most `MOST` bytes.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import requests
from PIL import Image

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
MOST = 300_000  # bytes of a picture
WIDTH = 1200  # pixels at most
BAR = 50  # height of a report's fixed bar of links, in pixels
DESKTOP = {"width": 1280, "height": 800}
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
RUNS = {  # runs of docs/gallery.md by name
    "digits": ["-m", "cluster.k=10,50,233"],
    "whole": [
        "evaluator=[external,internal,maps,contact_sheets,silhouettes,crosstab,data_report,macro,near_duplicates]",
        "evaluator.macro.granularities=[2,4]", "evaluator.near_duplicates.similarity=0.99",
        "evaluator.maps.methods=[umap]",
    ],
    "which_k": ["backbone=pixels", "evaluator=[internal,k_selection]", "report=none"],
    "density": [
        "backbone=pixels", "reducer=umap", "cluster=hdbscan", "evaluator=[internal,external,maps]",
        "evaluator.maps.methods=[umap]", "report=none", "tracking.experiment=density",
    ],
    "table": [
        "dataset=table", "dataset.path={table}", "evaluator=[internal,profiles]", "cluster.k=3",
        "report=none",
    ],
}  # fmt: skip


class Picture(NamedTuple):
    """A figure, its run, and its file in that run's folder."""

    name: str
    run: str
    file: str


DRAWN = [
    Picture("sweep_metrics", "digits", "sweep_cluster.k.png"),
    Picture("training", "digits", "training_accuracy.png"),
    Picture("contact_sheets", "whole", "contact_sheets.png"),
    Picture("silhouettes", "whole", "silhouettes.png"),
    Picture("labels_in_clusters", "whole", "cluster_label_distribution.png"),
    Picture("data", "whole", "data_images.png"),
    Picture("macro_tree", "whole", "macro_tree.png"),
    Picture("near_duplicates", "whole", "near_duplicates.png"),
    Picture("which_k", "which_k", "k_selection.png"),
    Picture("density", "density", "map_umap.png"),
    Picture("profiles", "table", "cluster_feature_profiles_heatmap.png"),
]
PAGES = ("report", "sweep_report", "runs", "charts", "sweep")


def run(name: str, words: Sequence[str], work: Path) -> Path:
    """Run run.py in a separate project root; return the run's folder."""
    folder = work / "outputs" / name
    if folder.exists():
        return folder
    env = os.environ | {"EXPERIMENTS_ROOT": str(work), "PYTHONPATH": str(ROOT / "src")}
    kind = "sweep" if "-m" in words else "run"
    command = [sys.executable, str(ROOT / "run.py"), *words, f"hydra.{kind}.dir={folder}"]
    print(" ".join(command[1:]))
    subprocess.run(command, cwd=work, env=env, check=True)
    return folder


def shrink(source: Path, target: Path) -> None:
    """Write a picture as a PNG of at most `WIDTH` pixels and `MOST` bytes."""
    image = Image.open(source).convert("RGB")
    image = image.crop((0, 0, image.width, min(image.height, image.width)))  # of long images, only the top
    width = min(WIDTH, image.width)
    while True:
        small = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
        small.quantize(256, method=Image.Quantize.MAXCOVERAGE).save(target, optimize=True)
        if target.stat().st_size <= MOST:
            return
        width = int(width * 0.85)


def table_of(work: Path) -> Path:
    """Return the file of scikit-learn's iris measurements."""
    from sklearn.datasets import load_iris

    path = work / "iris.csv"
    load_iris(as_frame=True).data.to_csv(path, index=False)
    return path


@contextmanager
def browser() -> Iterator[Any]:
    """Start the installed Chromium."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as started:
        yield started.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--use-angle=swiftshader"]
        )


@contextmanager
def server(work: Path) -> Iterator[str]:
    """Serve the MLflow store of the runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = os.environ | {
        "PORT": str(port),
        "STORE": str(work / "mlflow" / "mlflow.db"),
        "PYTHON": sys.executable,
    }
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(["sh", str(ROOT / "mlflow" / "serve.sh")], env=env, stdout=quiet, stderr=quiet)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                requests.get(f"{url}/health", timeout=1).raise_for_status()
                break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()


def shoot_reports(chromium: Any, work: Path, folders: dict[str, Path]) -> None:
    """Take screenshots of a report's map and of the top of the sweep's report."""
    for name, folder, heading in (("report", "whole", "Map"), ("sweep_report", "digits", "")):
        page = chromium.new_page(viewport=DESKTOP)
        page.goto((folders[folder] / "report.html").as_uri())
        page.wait_for_timeout(3_000)
        if heading:
            top = page.locator("h2", has_text=heading).first.bounding_box()["y"]
            page.evaluate(f"window.scrollBy(0, {top - BAR})")
            page.wait_for_timeout(3_000)
            page.mouse.move(DESKTOP["width"] // 3, DESKTOP["height"] // 2)
            page.wait_for_timeout(500)
        shot(page, name, work)


def shoot_mlflow(chromium: Any, work: Path) -> None:
    """Take screenshots of an experiment's runs, its charts, and the page of the sweep."""
    from mlflow.tracking import MlflowClient

    from experiments import tracking

    client = MlflowClient(f"sqlite:///{work}/mlflow/mlflow.db")
    experiment = next(e.experiment_id for e in client.search_experiments() if e.name == "digits")
    sweep = client.search_runs([experiment], "tags.sweep = 'parent'")[0].info.run_id
    figures = tracking.metrics_page(experiment)
    addresses = {
        "runs": figures,
        "charts": f"{figures}&compareRunsMode=CHART",
        "sweep": f"#/experiments/{experiment}/runs/{sweep}?workflowType=machine_learning",
    }
    closed = "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"
    with server(work) as url:
        context = chromium.new_context(viewport=DESKTOP)
        context.add_init_script(closed)
        for name, address in addresses.items():
            page = context.new_page()
            page.goto(f"{url}/{address}")
            page.wait_for_timeout(25_000)  # MLflow sends several requests to its server
            shot(page, name, work)


def shot(page: Any, name: str, work: Path) -> None:
    """Take a screenshot of a page."""
    path = work / f"{name}.png"
    page.screenshot(path=path)
    page.close()
    shrink(path, PICTURES / f"{name}.png")


def make(only: Sequence[str], work: Path) -> None:
    """Run the missing runs, and write the pictures."""
    (work / "mlflow").mkdir(parents=True, exist_ok=True)
    if not (work / "conf").exists():
        (work / "conf").symlink_to(ROOT / "conf")
    table = str(table_of(work))
    wanted = [picture for picture in DRAWN if not only or picture.name in only]
    pages = [name for name in PAGES if not only or name in only]
    needed = {picture.run for picture in wanted} | ({"digits", "whole"} if pages else set())
    folders = {
        name: run(name, [word.format(table=table) for word in words], work)
        for name, words in RUNS.items()
        if name in needed
    }
    for picture in wanted:
        shrink(folders[picture.run] / "figures" / picture.file, PICTURES / f"{picture.name}.png")
    if pages:
        with browser() as chromium:
            shoot_reports(chromium, work, folders)
            shoot_mlflow(chromium, work)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", default=[], help=f"such as {DRAWN[0].name}; default: all")
    parser.add_argument(
        "--work", type=Path, help="folder of earlier runs to reuse; default: a temporary folder"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        make(args.only, args.work.absolute() if args.work else Path(temporary))
    return 0


if __name__ == "__main__":
    sys.exit(main())
