"""Run an experiment from Python, such as in a notebook."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from hydra.types import RunMode

from experiments import pipeline
from experiments.config import compose
from experiments.config.build import build
from experiments.config.run_names import run_name
from experiments.job import console, context, logged_model, run_folder
from experiments.job.perform import Job, perform
from experiments.report.notebook import NotebookResult


def run(overrides: Sequence[str] = ()) -> pipeline.Result:
    """Run one experiment from Python, as `python run.py <overrides>` does.

    Parameters
    ----------
    overrides
        Settings such as `["cluster.k=20", "seed=3"]`; paths are relative to the working directory.

    Returns
    -------
    Result
        `metrics`, `samples`, `embeddings` float32 (n, d), `reduced` (n, p), `clustering` and `findings`.

    Raises
    ------
    ValueError
        A setting is wrong; the message has a suggestion.
    """
    sweeps = [o.input_line for o in compose.parse(overrides) if o.is_sweep_override()]
    if sweeps:
        raise ValueError(f"{sweeps[0]} has several values; call run once for each, or use python run.py -m")
    cfg = compose.compose_config(overrides, hydra=True)
    folder = Path(cfg.hydra.run.dir).absolute()
    if cfg.hydra.mode == RunMode.MULTIRUN:
        typed = shlex.join(overrides)
        raise ValueError(f"{typed} is a sweep; use python run.py {typed}")
    if cfg.resume:
        raise ValueError(f"resume={cfg.resume} is for sweeps; use python run.py -m ... resume={cfg.resume}")
    if cfg.plan:
        raise ValueError("plan=true computes nothing; use python run.py plan=true")
    plan = build(compose.without_hydra(cfg), overrides)
    logged_model.check_folder(folder, plan)
    if plan.cache.enabled:  # data that cannot be read leaves no run in MLflow, as on the command line
        ctx = context.make(plan, console.Report(lambda step, values: None))
        pipeline.check_stages(plan.stages, plan.stages.dataset.load(ctx))
    job = Job(overrides, run_name(overrides), choices=dict(cfg.hydra.runtime.choices))
    with run_folder.locked(folder, "hydra.run.dir"):
        run_folder.prepare(folder, "hydra.run.dir")
        return NotebookResult.of(perform(plan, folder, job).result)
