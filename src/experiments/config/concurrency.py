"""Number of jobs that a launcher runs in parallel; a sweep divides the cores among them.

The cores are divided once per sweep. A value that several jobs need, such as a CNN, is computed by one job
with its share of the threads; the other jobs wait. So each job has the results of a single run with
threads=<share>.
"""

from typing import Any

from omegaconf import OmegaConf


def count_parallel_jobs(hydra: Any, jobs: int | None, cores: int) -> int:
    """Return the number of jobs that run in parallel on this machine.

    Parameters
    ----------
    hydra
        Hydra's part of the config: its launcher and sweeper.
    jobs
        Number of jobs of the sweep; None if an optimiser decides.
    """
    launcher = str(hydra.launcher._target_).rpartition(".")[2]
    batch = OmegaConf.select(hydra, "sweeper.max_batch_size") or OmegaConf.select(hydra, "sweeper.n_jobs")
    limit = int(min(count for count in (jobs or cores, batch) if count))
    workers = {
        "JoblibLauncher": lambda: _count_joblib_workers(hydra.launcher, cores),
        "RayLauncher": lambda: _count_ray_tasks(hydra.launcher, cores),
        "LocalLauncher": lambda: limit,  # submitit runs all jobs in parallel
    }
    return max(1, min(workers[launcher](), limit)) if launcher in workers else 1


def _count_joblib_workers(launcher: Any, cores: int) -> int:
    """Return the number of joblib's workers; -1 means all cores, -2 all but one."""
    n_jobs = int(launcher.n_jobs)
    return cores + 1 + n_jobs if n_jobs < 0 else n_jobs


def _count_ray_tasks(launcher: Any, cores: int) -> int:
    """Return the number of tasks that Ray runs in parallel on this machine."""
    available = OmegaConf.select(launcher, "ray.init.num_cpus") or cores
    return int(available // (OmegaConf.select(launcher, "ray.remote.num_cpus") or 1))
