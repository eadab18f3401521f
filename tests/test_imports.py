"""The arrows of the architecture: imports point one way, and the heavy ones wait until they are used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "experiments"
STAGES = ("dataset", "backbone", "reducer", "cluster", "evaluator")
HEAVY = {
    "faiss",
    "matplotlib",
    "mlflow",
    "openTSNE",
    "open_clip",
    "pandas",
    "plotly",
    "pytorch_lightning",
    "scipy",
    "sklearn",
    "timm",
    "torch",
    "torchvision",
    "umap",
}
CONFIGURING = {"hydra", "mlflow", "omegaconf"}
FRAMEWORK = (
    "backbone/batched",
    "backbone/cnn_",
    "backbone/pretrained_",
)  # imported inside a function alone, so these may import a framework at their top
ALLOWED = {
    "alive": set(),
    "kept": set(),
    "types": {"kept"},
    "files": {"kept", "types"},
    "libraries": set(),
    "cache": {"alive", "types", "kept", "libraries"},
    "compose": {"mistakes", "overrides", "presets", "text_fields"},
    "presets": {"text_fields"},
    "mistakes": {"overrides", "quoting"},
    "overrides": {"quoting"},
    "text_fields": {"overrides", "quoting"},
    "command_line": {
        "compose",
        "config",
        "overrides",
        "presets",
        "quoting",
        "sweep",
        "text_fields",
        "threads",
    },
    "commands": {"compose", "quoting"},
    "quoting": set(),
    "config": {"compose", "mistakes", "quoting", "text_fields", "types"},
    "parallel": set(),
    "program": set(),
    "pipeline": {"parallel", "types", "kept"},
    "compilation": {"cache", "cluster", "reducer", "types"},
    "console": set(),
    "context": {"cache", "config", "environment", "threads", "types"},
    "environment": {"kept", "libraries"},
    "main_metrics": set(),
    "notes": {"commands", "comparison", "main_metrics", "pipeline", "report", "tables", "tracking", "types"},
    "preview": {"cache", "config", "console", "context", "kept", "pipeline", "types"},
    "tables": {"dataset"},  # what it guards, tabular reads back
    "training_curves": {"figures"},
    "model": {
        "cache",
        "context",
        "dataset",
        "libraries",
        "pipeline",
        "types",
        "kept",
        "threads",
    },  # it reads images as data sets do
    "logged_model": {"config", "model", "pipeline", "run_folder", "tracking"},
    "run_folder": {"alive"},
    "artifacts": {"kept", "numerics", "pipeline", "tables", "training_curves"},
    "job": {
        "artifacts",
        "compose",
        "config",
        "console",
        "context",
        "figures",
        "logged_model",
        "main_metrics",
        "notes",
        "pipeline",
        "report",
        "run_folder",
        "tables",
        "tracking",
        "training_curves",
        "types",
        "kept",
        "verification",
    },
    "claims": {"artifacts", "comparison", "compose", "job", "sweep"},
    "launch": {
        "command_line",
        "compose",
        "console",
        "context",
        "environment",
        "job",
        "pipeline",
        "preview",
        "program",
        "run_folder",
        "sweep",
        "tracking",
        "types",
    },
    "threads": set(),
    "__init__": {"job", "pipeline", "threads"},
}


def imported(path: Path, *, top: bool = False) -> set[str]:
    """Name what a module imports; `top`: when it is itself imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in tree.body if top else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names |= {f"{module}.{alias.name}" for alias in node.names} | {module}
    return names


def ours(path: Path) -> set[str]:
    """Name the parts of the package that a module imports: `types`, or `cluster` for a stage's."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("experiments.")}


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_the_frame_imports_along_the_arrows(path: Path) -> None:
    names = {name for name in ours(path) if (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()}
    assert names <= ALLOWED[path.stem]


@pytest.mark.parametrize("group", STAGES)
def test_a_stage_imports_what_all_may_and_its_own_group(group: str) -> None:
    for path in (PACKAGE / group).rglob("*.py"):
        shared = {"alive", "files", "kept", "types", "figures", "numerics", "parallel", "quoting", "threads"}
        assert ours(path) <= {*shared, group}, path
        assert not {name.split(".")[0] for name in imported(path)} & CONFIGURING, path


def test_parts_of_a_stage_import_no_stage() -> None:
    """What evaluators share stands in folders of their group, and knows none of those that use it."""
    for path in (PACKAGE / "evaluator").glob("*/*.py"):
        names = {name for name in imported(path) if name.startswith("experiments.evaluator.")}
        stages = {name for name in names if (PACKAGE / "evaluator" / f"{name.split('.')[2]}.py").exists()}
        assert not stages, path


def test_figures_import_what_is_kept_alone() -> None:
    for path in (PACKAGE / "figures").glob("*.py"):
        assert ours(path) <= {"kept", "types", "figures"}, path


def test_comparisons_are_made_of_rows_alone() -> None:
    for path in (PACKAGE / "comparison").glob("*.py"):
        assert ours(path) <= {"kept", "types", "figures", "comparison"}, path


def test_a_report_is_made_of_a_run_alone() -> None:
    allowed = {
        "comparison", "environment", "evaluator", "figures", "kept", "pipeline", "report", "tables",
        "training_curves", "types",
    }  # fmt: skip
    for path in (PACKAGE / "report").glob("*.py"):
        assert ours(path) <= allowed, path


def test_labelling_stands_on_what_was_recorded() -> None:
    allowed = {
        "commands",
        "compose",
        "dataset",
        "evaluator",
        "figures",
        "labelling",
        "recorded",
        "tables",
        "tracking",
        "types",
    }
    for path in (PACKAGE / "labelling").glob("*.py"):
        assert ours(path) <= allowed, path
        evaluators = {name for name in imported(path) if name.startswith("experiments.evaluator.")}
        assert all(name.startswith("experiments.evaluator.measures") for name in evaluators), path


@pytest.mark.parametrize(
    ("part", "allowed"),
    [
        ("trace", {"config", "environment", "pipeline", "types", "kept"}),  # each run leaves one
        ("verdict", {"verification"}),  # two traces in, a verdict out
        ("past", {"artifacts", "compose", "config", "environment", "recorded", "verification"}),
        (
            "verify",
            {
                "compose",
                "config",
                "console",
                "context",
                "job",
                "recorded",
                "tables",
                "tracking",
                "types",
                "verification",
            },
        ),
    ],
)
def test_a_verification_stands_on_what_was_recorded(part: str, allowed: set[str]) -> None:
    assert ours(PACKAGE / "verification" / f"{part}.py") <= allowed


@pytest.mark.parametrize(
    ("part", "allowed"),
    [
        ("run", {"tracking"}),
        ("samples", {"compose", "config", "dataset", "evaluator", "recorded", "types"}),
        ("embeddings", {"config", "dataset", "pipeline", "recorded", "types"}),
        ("export", {"artifacts", "dataset", "recorded", "tables", "types"}),
    ],
)
def test_what_was_recorded_is_read_without_running_it(part: str, allowed: set[str]) -> None:
    assert ours(PACKAGE / "recorded" / f"{part}.py") <= allowed


@pytest.mark.parametrize(
    ("part", "allowed"),
    [
        ("outcomes", {"compose", "job"}),
        ("record", {"config", "recorded", "sweep"}),
        (
            "resumption",
            {"environment", "job", "recorded", "run_folder", "sweep", "tracking", "verification"},
        ),
        ("jobs", {"compose", "job", "presets", "program", "run_folder", "sweep", "threads", "tracking"}),
        ("share", set()),
        ("in_common", {"artifacts", "cache", "job", "kept", "sweep", "training_curves"}),
        (
            "best_model",
            {"cache", "config", "context", "job", "logged_model", "model", "pipeline", "tracking", "types"},
        ),
        (
            "summary",
            {
                "commands",
                "comparison",
                "compose",
                "console",
                "figures",
                "job",
                "main_metrics",
                "quoting",
                "report",
                "tracking",
            },
        ),
    ],
)
def test_a_part_of_a_sweep_knows_no_more_than_it_needs(part: str, allowed: set[str]) -> None:
    assert ours(PACKAGE / "sweep" / f"{part}.py") <= allowed


def test_tracking_knows_no_stage() -> None:
    for path in (PACKAGE / "tracking").glob("*.py"):
        assert ours(path) <= {
            "alive", "commands", "config", "environment", "main_metrics", "tracking", "types",
        }, path  # fmt: skip


def test_only_tracking_imports_mlflow() -> None:
    users = {p for p in PACKAGE.rglob("*.py") if any(n.split(".")[0] == "mlflow" for n in imported(p))}
    assert {path.parent for path in users} == {PACKAGE / "tracking"}


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    for path in PACKAGE.rglob("*.py"):
        if not path.relative_to(PACKAGE).as_posix().startswith(FRAMEWORK):
            assert not {name.split(".")[0] for name in imported(path, top=True)} & HEAVY, path


def test_building_the_default_run_imports_no_framework() -> None:
    code = (
        "import sys; from experiments import launch, sweep; from experiments.config.build import build; "
        "from experiments.config.compose import compose_config; build(compose_config([]));"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert done.stdout.strip() == "[]"
