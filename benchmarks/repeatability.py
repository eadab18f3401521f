"""Twenty small runs, each run again by scripts/verify.py: every experiment, backbone, reducer and clusterer.

python benchmarks/repeatability.py                    at the same number of threads: 20 identical is the aim
python benchmarks/repeatability.py --threads 1        how far another number of threads differs, and where
python benchmarks/repeatability.py --only umap gmm    some of them
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).parents[1]
EACH = 12  # images of each digit
FOLDER = ["dataset.root={images}", "dataset.image_size=16"]
SHORT = ["backbone.max_epochs=2"]
RANDOM = ["backbone.weights=none"]
DIGITS = ["dataset=digits", "dataset.limit=600"]
PIXELS = [*DIGITS, "backbone=pixels"]
EVERYTHING = (
    "evaluator=[external,internal,data_report,variance,probe,macro,macro_purity,maps,members,silhouettes,"
    "contact_sheets,near_duplicates,k_selection,k_distance]"
)
RUNS = {
    "digits_seeds": ["experiment=digits_seeds", *SHORT, "dataset.limit=600", "seed=3", "cluster.k=10"],
    "patternmind": ["experiment=patternmind", *FOLDER, *SHORT, "cluster.k=10"],
    "caltech101": [
        "experiment=caltech101", *FOLDER, *SHORT, "cluster.k=10", "evaluator.variance.classes=['1','2','3']",
    ],
    "patternmind_resnet50": ["experiment=patternmind_resnet50", *FOLDER, *RANDOM, "cluster.k=10"],
    "clip_density": ["experiment=clip_density", *FOLDER, *RANDOM, "evaluator.maps.methods=[umap]"],
    "dinov2_density": [
        "experiment=clip_density", "backbone=dinov2", *FOLDER, *RANDOM, "backbone.image_size=112",
    ],
    "resnet_k_selection": [
        "experiment=resnet_k_selection", *FOLDER, *RANDOM, "evaluator.k_selection.k_max=6",
        "evaluator.k_selection.references=3",
    ],
    "squeezenet": [
        "dataset=image_folder", *FOLDER, "backbone=resnet50", *RANDOM, "backbone.model=squeezenet1_0",
        "cluster=hdbscan",
    ],
    "cnn_published": ["dataset=digits", "dataset.limit=900", *SHORT, "protocol=published", "seed=7"],
    "cnn_synthetic": ["dataset=synthetic", "dataset.n=400", "backbone.max_epochs=1"],
    "synthetic_vectors": ["dataset=synthetic_vectors", "dataset.n=3000", "dataset.classes=30"],
    "umap_hdbscan": [*PIXELS, "reducer=umap", "cluster=hdbscan"],
    "chain_spherical": [*PIXELS, "reducer=chain", "cluster=spherical_kmeans"],
    "l2_sklearn": [*PIXELS, "reducer=l2", "cluster=sklearn_kmeans"],
    "gmm": [*PIXELS, "cluster=gmm"],
    "agglomerative": [*PIXELS, "cluster=agglomerative"],
    "dbscan": [*PIXELS, "reducer=identity", "cluster=dbscan", "cluster.eps=1.5", "cluster.min_samples=4"],
    "identity_kmeans": [*PIXELS, "reducer=identity", "cluster.k=50"],
    "spherical_cnn": [*DIGITS, *SHORT, "reducer=l2", "cluster=spherical_kmeans"],
    "every_evaluator": [
        "dataset=image_folder", *FOLDER, "backbone=pixels", EVERYTHING, "evaluator.k_selection.k_max=6",
        "evaluator.maps.methods=[pca,umap,tsne]",
    ],
}  # fmt: skip


def write_images(folder: Path) -> None:
    """Write scikit-learn's digits as PNG, with a folder per class."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for label in range(10):
        run_folder = folder / str(label)
        run_folder.mkdir(parents=True)
        for row in np.flatnonzero(digits.target == label)[:EACH]:
            image = np.rint(digits.images[row] * (255 / 16)).astype(np.uint8)
            Image.fromarray(image).resize((32, 32)).save(run_folder / f"{row:04}.png")


def started(root: Path, script: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a script of the repository in a project root of its own."""
    env = os.environ | {"EXPERIMENTS_ROOT": str(root)}
    command = [sys.executable, str(REPOSITORY / script), *words]
    return subprocess.run(
        command, env=env, cwd=root, capture_output=True, text=True, check=False, encoding="utf-8"
    )


def newest(root: Path) -> str:
    """Return the id of the last run, or of the only job of the last sweep."""
    folder = max((root / "outputs").glob("*/*"), key=lambda path: path.stat().st_mtime_ns)
    (result,) = folder.rglob("result.json")
    return str(json.loads(result.read_text(encoding="utf-8"))["run_id"])


def one(root: Path, overrides: list[str], settings: list[str]) -> tuple[str, str]:
    """Run and verify; return the line of the verdict, and the lines above it."""
    done = started(root, "run.py", *(word.format(images=root / "images") for word in overrides))
    if done.returncode:
        return "did not run", done.stderr
    done = started(root, "scripts/verify.py", newest(root), *settings)
    lines = [line for line in done.stdout.splitlines() if line.startswith("verdict: ")]
    said = lines[-1].removeprefix("verdict: ") if lines else "could not be checked"
    return said, done.stdout + done.stderr


def main() -> int:
    """Print the verdicts and their counts; the exit code is 0 if all are identical."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, help="verify with so many; by default as recorded")
    parser.add_argument("--only", nargs="+", choices=list(RUNS), default=list(RUNS))
    parser.add_argument("--verbose", action="store_true", help="what verify says, where it is not identical")
    args = parser.parse_args()
    settings = [f"threads={args.threads}"] if args.threads else []
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "conf").symlink_to(REPOSITORY / "conf")
        write_images(root / "images")
        for run in args.only:
            start = time.perf_counter()
            said, more = one(root, RUNS[run], settings)
            counts[said.partition(":")[0]] += 1
            print(f"{run:22} {time.perf_counter() - start:5.0f} s  {said}", flush=True)
            if args.verbose and not said.startswith("identical"):
                print(more, flush=True)
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return int(set(counts) != {"identical"})


if __name__ == "__main__":
    sys.exit(main())
