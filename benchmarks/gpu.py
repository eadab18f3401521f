"""Test and time everything that uses a GPU, in at most nine minutes; ends with a Markdown table.

    python benchmarks/gpu.py                              needs a CUDA device
    python benchmarks/gpu.py --cpu                        the same parts, small, without one: a few minutes
    python benchmarks/gpu.py --only embedding kmeans --write gpu.md

Parts: the tests marked gpu; training images a second of the CNN at 224 x 224 against a bare PyTorch loop
(epoch.py); images a second embedded by ResNet-50 and CLIP ViT-B/32 with random weights against a bare loop
(embedding.py); FAISS k-means on the GPU against the CPU (kmeans.py). Each part runs in a process of its own
with a time limit: the table has its measurements until then, and a part that fails does not affect others.
"""

import argparse
import multiprocessing
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from experiments.context import Context
from experiments.job.context import AMPERE, cuda_capabilities
from experiments.numerics.threads import cores
from experiments.store.cache import Store

TESTS = Path(__file__).resolve().parents[1] / "tests"
LIBRARIES = ("torch", "torchvision", "pytorch_lightning", "open_clip_torch", "numpy")


@dataclass(frozen=True)
class Scale:
    """Sizes of the measurements.

    Parameters
    ----------
    seconds
        Time limit of all parts together.
    trained, size, embedded
        Images of the CNN and their pixels a side; images of an embedding.
    rounds
        Of each comparison; the first only warms up.
    clustered
        Rows of 64 values, 100 clusters.
    """

    seconds: float
    trained: int
    size: int
    embedded: int
    rounds: int
    clustered: tuple[int, ...]


SCALES = {
    "cuda": Scale(
        520, trained=4096, size=224, embedded=4096, rounds=4, clustered=(100_000, 400_000, 1_600_000)
    ),
    "cpu": Scale(520, trained=48, size=64, embedded=16, rounds=2, clustered=(2_000, 4_000, 8_000)),
}


@dataclass(frozen=True)
class Row:
    """One line of the table; a later row of the same `what` replaces it."""

    what: str
    ours: str = ""
    other: str = ""
    ratio: str = ""

    @property
    def line(self) -> str:
        """Return the row as Markdown."""
        return f"| {self.what} | {self.ours} | {self.other} | {self.ratio} |"


Part = Callable[[Scale, Context], Iterable[Row]]


def tests(scale: Scale, ctx: Context) -> Iterator[Row]:
    """Run the tests that are marked gpu."""
    marked = [
        str(path)
        for path in sorted(TESTS.rglob("test_*.py"))
        if "pytest.mark.gpu" in path.read_text(encoding="utf-8")
    ]
    pytest = [sys.executable, "-m", "pytest", "-m", "gpu", "-q", "--tb=short", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*pytest, *marked], capture_output=True, text=True, cwd=TESTS.parent, check=False, encoding="utf-8"
    )
    print(done.stdout[-6000:], done.stderr[-2000:], flush=True)
    yield Row("tests marked gpu", done.stdout.strip().rpartition("\n")[2] or f"exit code {done.returncode}")


def training(scale: Scale, ctx: Context) -> Iterator[Row]:
    """Train the CNN for an epoch, and again."""
    from epoch import epochs

    what = f"CNN, training images/s, {scale.size}x{scale.size}, batch 32"
    yield from _rows(what, epochs(scale.trained, scale.size, scale.rounds - 1, ctx))


def embedding(scale: Scale, ctx: Context) -> Iterator[Row]:
    """Embed with both networks."""
    from embedding import rates

    for backbone, model in (("resnet50", "resnet50"), ("clip", "ViT-B-32")):
        pairs = rates(backbone, model, scale.embedded, scale.rounds, ctx)
        next(pairs)  # warms up
        yield from _rows(f"{model}, images/s embedded", pairs)


def clustering(scale: Scale, ctx: Context) -> Iterator[Row]:
    """Cluster on the GPU and on the CPU, with k=100."""
    import faiss
    from kmeans import measured, ours, vectors

    missing = "" if faiss.get_num_gpus() else f"skipped: faiss {faiss.__version__} sees no GPU"
    for n in scale.clustered:
        with vectors(ctx, n=n, width=64) as points:
            fit = ours("faiss_kmeans", 100, 0)
            what = f"FAISS k-means, {n:,} x 64, k=100, seconds"
            inertia, seconds = measured(fit, points, replace(ctx, device="cpu"), time.perf_counter)
            yield Row(what, missing, f"{seconds:.2f}")
            if not missing:
                fit(points[:2000], ctx)  # starts the GPU
                gpu_inertia, gpu_seconds = measured(fit, points, ctx, time.perf_counter)
                times = f"{gpu_seconds / seconds:.3f} (inertia {gpu_inertia / inertia:.5f})"
                yield Row(what, f"{gpu_seconds:.2f}", f"{seconds:.2f} on the CPU", times)


def _rows(what: str, pairs: Iterable[tuple[float, float]]) -> Iterator[Row]:
    """Yield the medians of the rates so far, after every round."""
    rates = []
    for pair in pairs:
        rates.append(pair)
        ours, bare = (median(side) for side in zip(*rates, strict=True))
        yield Row(what, f"{ours:.1f}", f"{bare:.1f}", f"{ours / bare:.3f}")


def machine(scale: Scale, ctx: Context) -> Iterator[Row]:
    """Yield the card's name, the versions and the precision."""
    import faiss
    import torch

    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    cuda = f", CUDA {torch.version.cuda}, cuDNN {cudnn}"
    card = f"{torch.cuda.get_device_name()}{cuda}" if ctx.device == "cuda" else "no GPU"
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    sees = f"faiss {faiss.__version__} with {faiss.get_num_gpus()} GPU(s)"
    about = f"{ctx.threads} cores, {ctx.dtype}, Python {platform.python_version()}, {libraries}, {sees}"
    yield Row("machine", f"{card}, {about}")


PARTS: dict[str, tuple[Part, float]] = {  # with the seconds that each may take
    "machine": (machine, 60),
    "tests": (tests, 150),
    "training": (training, 110),
    "embedding": (embedding, 120),
    "kmeans": (clustering, 140),
}


def _child(part: Part, scale: Scale, device: str, dtype: str, folder: str, sender: Connection) -> None:
    """Send the rows of a part, or the reason of its failure."""
    os.setsid()  # so that what it starts ends with it
    os.environ["TMPDIR"] = tempfile.tempdir = folder  # the parent removes it, whatever ends this process
    ctx = replace(Context.plain(Store(Path(folder))), device=device, dtype=dtype, threads=cores())
    try:
        for row in part(scale, ctx):
            sender.send(row)
    except BaseException as error:
        traceback.print_exc()
        sender.send(f"failed: {type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}")
    else:
        sender.send("")


def bounded(name: str, scale: Scale, device: str, dtype: str, seconds: float) -> Iterator[Row]:
    """Yield the rows of a part as they arrive; stop it at its time limit."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        receiver, sender = multiprocessing.Pipe(duplex=False)
        spawn = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
        process = spawn.Process(target=_child, args=(PARTS[name][0], scale, device, dtype, folder, sender))
        process.start()
        sender.close()
        end, reason = time.monotonic() + seconds, f"stopped after {seconds:.0f} s"
        try:
            while receiver.poll(max(0, end - time.monotonic())):
                message = receiver.recv()
                if isinstance(message, str):
                    reason = message
                    break
                yield message
        except EOFError:
            process.join(10)
            reason = f"failed: the process ended with exit code {process.exitcode}"
        finally:
            process.join(0 if reason else 5)
            if process.pid and process.is_alive():
                with suppress(ProcessLookupError):  # it may have no session of its own yet
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
            process.join()
    if reason:
        yield Row(f"{name}: {reason}")


def main() -> None:
    """Print every row as it comes, and the table at the end."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cpu", action="store_true", help="all parts on the CPU, small")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], help="default: what precision=auto takes")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--write", type=Path, help="a file for the table")
    args = parser.parse_args()
    start = time.monotonic()
    capabilities = [] if args.cpu else cuda_capabilities()
    if not args.cpu and not capabilities:
        parser.error("the driver shows no CUDA device; use --cpu for the same parts without one")
    device = "cpu" if args.cpu else "cuda"
    dtype = args.dtype or ("bfloat16" if capabilities and capabilities[0] >= AMPERE else "float32")
    scale = SCALES[device]
    rows: dict[str, Row] = {}
    for name in dict.fromkeys(["machine", *args.only]):
        left = scale.seconds - (time.monotonic() - start)
        for row in bounded(name, scale, device, dtype, max(0, min(PARTS[name][1], left))):
            rows[row.what] = row
            print(f"{time.monotonic() - start:5.0f} s  {row.line}", flush=True)
    heading = rows.pop("machine", Row("machine", "unknown")).ours
    lines = ["| what | framework, on the device | bare loop, or the CPU | ratio |", "|---|---|---|---|"]
    lines += [row.line for row in rows.values()]
    table = "\n".join([heading, "", *lines])
    print(f"\n{table}", flush=True)
    if args.write:
        args.write.write_text(f"{table}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
