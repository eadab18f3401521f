"""Measure a report: seconds to write, size, and seconds until Chromium shows it and responds to the pointer.

    python benchmarks/report.py dataset=image_folder dataset.root=caltech101_128.zip cluster.k=102
    python benchmarks/report.py cluster.k=233                      the digits

Accepts the settings of run.py; the default is backbone=pixels. The run itself is not timed. The report is
written twice, first without cached parts. Seconds in the browser are from the start of the navigation, each
time in a new browser process without a GPU, until image and name are shown at the pointer. The peer is the
same map drawn by plotly on WebGL, with the same data.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from experiments import figures, report
from experiments.config import compose
from experiments.config.build import build
from experiments.figures import Map
from experiments.figures.html import tiles
from experiments.job import console, context
from experiments.job.perform import Job, perform
from experiments.report import Contents

USUAL = ["backbone=pixels", "figures=none", "report=none", "tracking.log_model=none"]
SOFTWARE = ["--no-sandbox"]
WEBGL = [*SOFTWARE, "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
WATCH = """const seen = window.seen = {};
new PerformanceObserver((list) => list.getEntries().forEach((entry) => (seen[entry.name] = entry.startTime)))
  .observe({ type: "paint", buffered: true });
const look = () => {
  const map = document.querySelector("#plane[data-drawn] canvas, #figure .plotly .legend");
  const card = document.getElementById("card");
  if (map) seen.drawn ??= performance.now();
  if (card && !card.hidden && card.offsetWidth) seen.answered ??= performance.now();
};
new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
"""


def made(typed: list[str], root: Path) -> tuple[Contents, Path, list[float]]:
    """Run, and write the report twice; return its contents, its file, and the seconds."""
    kept = [f"cache.root={root}/cache", f"tracking.uri=sqlite:///{root}/mlflow.db"]
    typed = [*USUAL, *kept, *typed]
    cfg = compose.compose_config(typed)
    plan = build(cfg, typed)
    result = perform(plan, root / "run", Job(typed)).result
    ctx = context.make(plan, console.Report(lambda _step, _row: None))
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        file = report.write_report(result, root / "run", ctx, name="benchmark", run_id="0", seconds=0.0)
        seconds.append(time.perf_counter() - start)
    return report.gather_contents(result, root / "run", ctx, {}), file, seconds


def peer(contents: Contents, root: Path) -> Path:
    """Write the same map with plotly."""
    (axis, points), *_ = contents.maps.items()
    packed, ends = figures.pack(
        contents.images[at : at + tiles.PER_SPRITE] for at in range(0, len(contents.images), tiles.PER_SPRITE)
    )
    file = root / "plotly.html"
    drawn = Map(
        contents.title,
        f"{axis} 1",
        f"{axis} 2",
        points[:, 0],
        points[:, 1],
        contents.members["cluster"].to_numpy(),
        contents.members["id"].to_list(),
        [],
        packed,
        ends,
        contents.images.shape[1],
        tiles.PER_SPRITE,
    )
    file.write_text(figures.html_page(drawn), encoding="utf-8")
    return file


def opened(file: Path, map_: str, arguments: list[str]) -> dict[str, float]:
    """Open the page, go to its map and point at it; return the seconds until each event."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=arguments)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(WATCH)
        page.goto(f"{file.as_uri()}#map", wait_until="commit")
        page.wait_for_function("window.seen.drawn", timeout=60_000)
        box: Any = page.locator(map_).first.bounding_box()
        step, end = 0, time.monotonic() + 60
        while not page.evaluate("window.seen.answered") and time.monotonic() < end:
            across, down = 0.3 + 0.4 * (step % 20) / 20, 0.3 + 0.4 * (step // 20 % 20) / 20
            page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            step += 1
        page.wait_for_function("window.seen['first-contentful-paint']", timeout=60_000)
        seen: dict[str, float] = page.evaluate("window.seen")
        browser.close()
    return {name: value / 1000 for name, value in seen.items()}


def measure(name: str, file: Path, map_: str, arguments: list[str], rounds: int) -> float:
    """Print median, minimum and maximum times of several openings; return the median of the first answer."""
    runs = [opened(file, map_, arguments) for _ in range(rounds)]
    lines = []
    for key in ("first-contentful-paint", "drawn", "answered"):
        values = sorted(run[key] for run in runs)
        lines.append(f"{key} {statistics.median(values):.2f} s ({values[0]:.2f} to {values[-1]:.2f})")
    print(f"{name}: {', '.join(lines)}", flush=True)
    return statistics.median(run["answered"] for run in runs)


def main() -> None:
    """Print the times to write the report and to open it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    options, typed = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        contents, file, seconds = made(typed, root)
        size = file.stat().st_size / 1e6
        print(f"{len(contents.members):,} samples, {contents.members['cluster'].nunique()} clusters")
        print(f"made in {seconds[0]:.1f} s, again in {seconds[1]:.1f} s (target 20 s)")
        print(f"size {size:.1f} MB (target 15 MB)", flush=True)
        ours = measure("report (target 3 s)", file, "#plane canvas", SOFTWARE, options.rounds)
        theirs = measure("plotly's map alone", peer(contents, root), "#figure", WEBGL, options.rounds)
        print(f"time to the first answer, ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
