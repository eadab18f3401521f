"""How many threads each job of a sweep has, where a launcher runs several at once.

The cores are divided once per sweep. What jobs share, such as a CNN, is computed by the job that comes first,
with its share of the threads, while the others wait: so every value equals that of the same job with
threads=<share>.
"""

from typing import Any

from omegaconf import OmegaConf


def at_once(hydra: Any, jobs: int | None, cores: int) -> int:
    """Return how many jobs run at the same time on this machine.

    Parameters
    ----------
    hydra
        Hydra's part of the config: its launcher and sweeper.
    jobs
        How many there are; None if an optimiser decides.
    """
    launcher = str(hydra.launcher._target_).rpartition(".")[2]
    batch = OmegaConf.select(hydra, "sweeper.max_batch_size") or OmegaConf.select(hydra, "sweeper.n_jobs")
    most = int(min(count for count in (jobs or cores, batch) if count))
    workers = {
        "JoblibLauncher": lambda: _joblib(hydra.launcher, cores),
        "RayLauncher": lambda: _ray(hydra.launcher, cores),
        "LocalLauncher": lambda: most,  # submitit's: all jobs at once
    }
    return max(1, min(workers[launcher](), most)) if launcher in workers else 1


def _joblib(launcher: Any, cores: int) -> int:
    """Return joblib's number of workers: -1 means all cores, -2 all but one."""
    n_jobs = int(launcher.n_jobs)
    return cores + 1 + n_jobs if n_jobs < 0 else n_jobs


def _ray(launcher: Any, cores: int) -> int:
    """Return how many tasks Ray runs on the cores of this machine."""
    available = OmegaConf.select(launcher, "ray.init.num_cpus") or cores
    return int(available // (OmegaConf.select(launcher, "ray.remote.num_cpus") or 1))
