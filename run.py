"""Run one clustering experiment, or a sweep of them, from the configs in conf/.

A run:          python run.py cluster.k=20 seed=3
A sweep:        python run.py -m cluster.k=10,50,233
Only a plan:    python run.py -m cluster.k=10,50,233 plan=true
"""

import sys

import hydra
from omegaconf import DictConfig

from experiments import launch


@hydra.main(version_base="1.3", config_path=launch.CONF, config_name="config")
def main(cfg: DictConfig) -> float | None:
    """Run one job; return the value of cfg.objective for an optimiser."""
    return launch.run_job(cfg)


if __name__ == "__main__":
    sys.exit(launch.launch(main))
