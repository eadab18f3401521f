"""Create the context of a run: device, precision, threads and cache."""

import ctypes
import sys
from pathlib import Path

from experiments.config.plan import Plan
from experiments.context import Context, Report
from experiments.numerics.threads import cores, let_waiting_threads_sleep
from experiments.store.cache import Store
from experiments.tracking.environment import code

AMPERE = 8  # the first compute capability with bfloat16


def make(plan: Plan, report: Report, *, compute: bool = True) -> Context:
    """Create the context with every `auto` resolved; raise ValueError if there is no such device."""
    let_waiting_threads_sleep()
    settings = plan.settings
    capabilities = cuda_capabilities() if settings.device != "cpu" else []
    if settings.device == "cuda" and not capabilities:
        raise ValueError("device=cuda: the driver reports no CUDA device; use device=cpu or device=auto")
    device = "cuda" if capabilities else "cpu"
    has_bfloat16 = device == "cuda" and capabilities[0] >= AMPERE
    dtype = {"auto": "bfloat16" if has_bfloat16 else "float32"}.get(settings.precision, settings.precision)
    threads = cores() if settings.threads == "auto" else int(settings.threads)
    about = {"threads": str(threads), "code": code()}
    store = Store(
        Path(plan.cache.root),
        enabled=plan.cache.enabled,
        compute=compute,
        about=about,
        dataset=plan.stages.dataset.display_name,
    )
    return Context(device, dtype, threads, store, report)


def cuda_capabilities() -> list[int]:
    """Return each CUDA device's major compute capability from the driver, without importing torch."""
    try:
        cuda = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return []
    count, major = ctypes.c_int(), ctypes.c_int()
    if cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count)):
        return []
    majors = []
    for device in range(count.value):
        cuda.cuDeviceGetAttribute(ctypes.byref(major), 75, device)  # 75: the major capability
        majors.append(major.value)
    return majors
