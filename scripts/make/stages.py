"""Write docs/stages/ from conf/, the stage classes and the catalogue: `python scripts/make/stages.py`.

A test fails if the pages are out of date.
"""

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from experiments.metric_names import MAIN
from experiments.metrics import CATALOGUE, Metric

ROOT = Path(__file__).parents[2]
CONF, PAGES = ROOT / "conf", ROOT / "docs" / "stages"
NOTE = "<!-- Written by scripts/make/stages.py from conf/ and src/; change those. -->"
COMMAND = re.compile(r"(?:^|\s{2,})(python (?:run|scripts).*)$")
SECTION = re.compile(r"\n\n(\w+)\n-+\n")
PARAMETER = re.compile(r"^(\w[\w, ]*)\n((?: {4}.*\n?)+)", re.MULTILINE)

SEED = "seed of the random numbers; default: the seed of the run"
GROUPS = {
    "dataset": ("Data sets", "A data set has images or vectors, with their ids, labels and split."),
    "backbone": ("Backbones", "A backbone turns each sample into a vector, its embedding."),
    "reducer": ("Reducers", "A reducer maps the embeddings to the space in which they are clustered."),
    "cluster": ("Clusterers", "A clusterer groups the points. -1 is noise: a sample in no cluster."),
    "evaluator": (
        "Evaluators",
        "An evaluator computes metrics, tables and figures. A run has a list of them.",
    ),
}


class Header(NamedTuple):
    """First comment of a YAML file: its sentences and commands."""

    text: str
    commands: list[str]


class Setting(NamedTuple):
    """A setting of a YAML file with its value and comment."""

    name: str
    value: str
    meaning: str


def header(text: str) -> Header:
    """Return the first comment of a YAML file, without Hydra's `@package`."""
    prose: list[str] = []
    commands: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        words = line[1:].strip()
        if words.startswith("@package"):
            continue
        command = COMMAND.search(f"  {words}")
        rest = COMMAND.sub("", f"  {words}").strip()
        if command and rest.endswith(":"):
            commands.append(f"{command[1]}    # {rest[0].lower()}{rest[1:-1]}")
            continue
        commands += [command[1]] if command else []
        prose += [rest] if rest else []
    return Header(" ".join(prose), commands)


def settings(text: str, skipped: tuple[str, ...] = ("_target_", "defaults", "hydra")) -> list[Setting]:
    """Return the settings of a YAML file with their full keys and comments."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return []
    pairs = [(key, node) for key, node in root.value if key.value not in skipped]
    return list(_settings(pairs, text.splitlines(), ""))


def _settings(pairs: list[tuple[yaml.Node, yaml.Node]], lines: list[str], prefix: str) -> Iterator[Setting]:
    for key, node in pairs:
        name = f"{prefix}{key.value}"
        block = isinstance(node, yaml.MappingNode) and not node.flow_style
        if block:
            yield Setting(name, "", _comment(lines, key.end_mark.line, key.end_mark.column))
            yield from _settings(node.value, lines, f"{name}.")
        else:
            value = lines[node.start_mark.line][node.start_mark.column : node.end_mark.column]
            yield Setting(name, value, _comment(lines, node.end_mark.line, node.end_mark.column))


def _comment(lines: list[str], line: int, column: int) -> str:
    """Return the comment after a value, including following lines that are only a comment."""
    words = [lines[line][column:].partition("#")[2].strip()]
    for later in lines[line + 1 :]:
        if not later.strip().startswith("#"):
            break
        words.append(later.strip()[1:].strip())
    return " ".join(words).strip()


def docstring(stage: type) -> tuple[str, dict[str, str], str]:
    """Return a class's description, its parameters, and its source."""
    parts = SECTION.split(f"{inspect.getdoc(stage) or ''}\n\n")
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    parameters: dict[str, str] = {}
    for names, text in PARAMETER.findall(f"{sections.get('Parameters', '')}\n"):
        parameters |= dict.fromkeys(names.split(", "), _flat(text))
    return parts[0].strip(), parameters, _flat(sections.get("Source", ""))


def _flat(text: str) -> str:
    return " ".join(text.split())


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *cells])


def block(commands: list[str]) -> list[str]:
    """Return commands as a code block."""
    return ["\n".join(["```", *commands, "```"])] if commands else []


def setting_table(rows: list[Setting], prefix: str) -> list[str]:
    """Return a list with the table of settings; empty if there are none."""
    code = [[f"`{prefix}{row.name}`", f"`{row.value}`" if row.value else "", row.meaning] for row in rows]
    return [table(["setting", "value", "meaning"], code)] if rows else []


def options(group: str) -> list[Path]:
    """Return the YAML files of a group."""
    return sorted((CONF / group).glob("[!_]*.yaml"))


def option(group: str, path: Path) -> list[str]:
    """Return the section of one option."""
    text = path.read_text(encoding="utf-8")
    values, about = yaml.safe_load(text), header(text)
    prefix = f"evaluator.{path.stem}." if group == "evaluator" else f"{group}."
    parts = [f"## {path.stem}", about.text, *block(about.commands)]
    rows = settings(text)
    if "_target_" not in values:  # a variant of another option
        parent = next(name for name in values["defaults"] if isinstance(name, str) and name[0] != "_")
        known = {row.name: row.meaning for row in settings(path.with_stem(parent).read_text("utf-8"))}
        parts += [f"All settings of [{parent}](#{parent}), with these values:"]
        return [*parts, *setting_table(_with_meanings(rows, known), prefix), f"Config: {link(path)}"]
    module, _, name = values["_target_"].rpartition(".")
    stage = getattr(importlib.import_module(module), name)
    description, parameters, source = docstring(stage)
    parts += [description, *setting_table(_with_meanings(rows, parameters), prefix)]
    if metrics := metric_list(module.rpartition(".")[2]) if group == "evaluator" else "":
        parts += [f"Metrics ([meanings](metrics.md)): {metrics}"]
    code = ROOT / "src" / f"{module.replace('.', '/')}.py"
    parts += [f"Source: {source}"] if source else []
    return [*parts, f"Class: `{name}` in {link(code)}. Config: {link(path)}"]


def _with_meanings(rows: list[Setting], known: dict[str, str]) -> list[Setting]:
    """Fill in missing meanings: those of the same name in `known`, or of the parent setting."""
    known = {"seed": SEED} | {row.name: row.meaning for row in rows if row.meaning} | known
    meanings = [row.meaning or known.get(row.name) or known.get(row.name.split(".")[0], "") for row in rows]
    return [row._replace(meaning=meaning) for row, meaning in zip(rows, meanings, strict=True)]


def metric_list(module: str) -> str:
    """Return the names of the metrics that an evaluator computes."""
    return ", ".join(f"`{row.name}`" for row in CATALOGUE.values() if module in row.by)


def link(path: Path) -> str:
    """Return a link from docs/stages to a file."""
    name = path.relative_to(ROOT).as_posix()
    return f"[`{name}`](../../{name})"


def group_page(group: str) -> str:
    """Return the page of one stage."""
    title, about = GROUPS[group]
    paths = options(group)
    heads = {path: header(path.read_text(encoding="utf-8")).text for path in paths}
    rows = [[f"[`{path.stem}`](#{path.stem})", first_sentence(text)] for path, text in heads.items()]
    typed = f"`{group}=[<option>,<option>]`" if group == "evaluator" else f"`{group}=<option>`"
    key = "evaluator.<option>.<setting>" if group == "evaluator" else f"{group}.<setting>"
    parts = [NOTE, f"# {title}", f"{about} Choose with {typed}, change with `{key}=<value>`."]
    parts += [table(["option", "in one sentence"], rows)]
    if group == "dataset":
        shared = settings((CONF / "dataset" / "_selection.yaml").read_text(encoding="utf-8"))
        parts += ["## Settings of every data set", *setting_table(shared, "dataset.")]
    for path in paths:
        parts += option(group, path)
    return "\n\n".join(part for part in parts if part) + "\n"


def first_sentence(text: str) -> str:
    """Return the first sentence of a text."""
    return re.split(r"(?<=[.?])\s", text, maxsplit=1)[0]


def run_page() -> str:
    """Return the page of the settings of a whole run."""
    rows = [row for row in settings((CONF / "config.yaml").read_text(encoding="utf-8")) if row.value]
    parts = [
        NOTE,
        "# A whole run",
        "Settings of the run that are not part of a stage.",
        *setting_table(rows, ""),
    ]
    return "\n\n".join([*parts, f"Config: {link(CONF / 'config.yaml')}"]) + "\n"


def experiment_page() -> str:
    """Return the page of the presets."""
    about = "A preset chooses options, settings and the lists of a sweep; typed settings override it."
    parts = [NOTE, "# Presets", f"{about} Choose with `experiment=<name>`."]
    for path in options("experiment"):
        first = header(path.read_text(encoding="utf-8"))
        parts += [f"## {path.stem}", first.text, *block(first.commands), f"Config: {link(path)}"]
    return "\n\n".join(parts) + "\n"


def metric_page() -> str:
    """Return the page of the metrics: main metrics in their order, then the others by evaluator."""
    about = (
        "Metrics with a rank are first in the terminal, in reports and in MLflow. Suffixes, chance levels, "
        "ceilings: [the glossary](../concepts.md#metrics). `{…}` stands for a name or a number."
    )
    main = list(dict.fromkeys(name.metric for name in MAIN))
    rows = [_metric(CATALOGUE[name]) for name in main]
    parts = [NOTE, "# Metrics", about, "## Main metrics", table(METRIC_HEAD, rows)]
    others = [row for row in CATALOGUE.values() if row.name not in main]
    for module in dict.fromkeys(row.by[0] for row in others):
        rows = [_metric(row) for row in others if row.by[0] == module]
        parts += [f"## {module}", table(METRIC_HEAD, rows)]
    return "\n\n".join([*parts, f"Catalogue: {link(ROOT / 'src/experiments/metrics.py')}"]) + "\n"


METRIC_HEAD = ["metric", "meaning", "better", "chance", "ceiling", "suffixes"]


def _metric(row: Metric) -> list[str]:
    ends = ["" if end is None else f"{end:g}" if isinstance(end, float) else f"`{end}`" for end in
            (row.chance, row.ceiling)]  # fmt: skip
    suffixes = " ".join(f"`{suffix}`" for suffix in (*row.noise, *row.rows) if suffix)
    return [f"`{row.name}`", row.about, row.better, *ends, suffixes]


def pages() -> dict[Path, str]:
    """Return every page by its path."""
    texts = {PAGES / f"{group}.md": group_page(group) for group in GROUPS}
    return texts | {
        PAGES / "run.md": run_page(),
        PAGES / "experiment.md": experiment_page(),
        PAGES / "metrics.md": metric_page(),
    }


def main() -> int:
    """Write the pages."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
