"""Processes that start with all imports: forks of a server, which saves seconds.

    popen([sys.executable, "run.py", "cluster.k=3"], cwd=..., env=..., stdout=PIPE, stderr=PIPE)

is subprocess.Popen in so far as the tests use it. The server has imported what a run imports, and has done
nothing else: a fork hangs after OpenMP ran a parallel region, so before each fork the server counts its
threads. One server serves all workers of pytest-xdist and ends with the last of them.
"""

import array
import atexit
import contextlib
import gc
import importlib
import json
import math
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

from filelock import FileLock

SOURCES = Path(__file__).parents[1] / "src"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
LIBRARIES = (
    "faiss",
    "matplotlib.pyplot",
    "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store",
    "pandas",
    "plotly.graph_objects",
    "pyarrow.parquet",
    "pytorch_lightning",
    "rich.table",
    "sklearn.cluster",
    "sklearn.linear_model",
    "torch",
    "torchvision",
)
HARMLESS = {"jemalloc_bg_thd"}  # pyarrow's, which jemalloc starts anew after a fork
THREADS = "experiments.numerics.threads"  # knows that it was imported before any OpenMP library
MESSAGE = 1 << 18  # bytes at most


class Process:
    """A forked process, with the methods and attributes of subprocess.Popen that tests use."""

    def __init__(
        self, server: "Connection", pid: int, args: Sequence[str], out: int, err: int | None
    ) -> None:
        self.args, self.pid = args, pid
        self.returncode: int | None = None
        self.stdout = os.fdopen(out, encoding="utf-8", errors="replace")
        self.stderr = None if err is None else os.fdopen(err, encoding="utf-8", errors="replace")
        self._server, self._ended = server, os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends; return the exit code."""
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._server.ask({"ended": self.pid}))
            os.close(self._ended)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read both streams to their ends and wait; return their texts."""
        texts = ["", ""]

        def read(number: int, stream: IO[str]) -> None:
            with stream:
                texts[number] = stream.read()

        deadline = math.inf if timeout is None else time.monotonic() + timeout
        readers = [
            threading.Thread(target=read, args=(number, stream))
            for number, stream in enumerate((self.stdout, self.stderr))
            if stream and not stream.closed
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(min(max(0, deadline - time.monotonic()), threading.TIMEOUT_MAX))
        self.wait(None if timeout is None else max(0, deadline - time.monotonic()))
        return texts[0], texts[1]

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.send_signal(signal.SIGKILL)


def popen(
    args: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdout: int,
    stderr: int,
    encoding: str = "utf-8",
    start_new_session: bool = False,
) -> "Process | subprocess.Popen[str]":
    """Start a Python script as subprocess.Popen does; its output is read as UTF-8."""
    if sys.platform != "linux":
        streams: dict[str, Any] = {"stdout": stdout, "stderr": stderr, "encoding": encoding}
        return subprocess.Popen(args, cwd=cwd, env=env, start_new_session=start_new_session, **streams)
    server = connection()
    out, into = os.pipe()
    err, into_err = (None, into) if stderr == subprocess.STDOUT else os.pipe()
    asked = {"args": list(args[1:]), "cwd": str(cwd), "env": dict(env), "session": start_new_session}
    pid = int(server.ask(asked, into, into_err))
    for end in {into, into_err}:
        os.close(end)
    return Process(server, pid, args, out, err)


class Connection:
    """A worker's connection to the server."""

    def __init__(self, address: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(str(address))
        self._turn = threading.Lock()

    def ask(self, question: Mapping[str, object], *files: int) -> str:
        """Return the answer to a question, which may come with open files."""
        with self._turn:
            socket.send_fds(self._socket, [json.dumps(question).encode()], list(files))
            return self._socket.recv(MESSAGE).decode()


_folder: Path | None = None  # of the server's socket


def serve_in(folder: Path) -> None:
    """Prepare the server of this session, which starts when a test needs it."""
    global _folder
    _folder = folder


@cache
def connection() -> Connection:
    """Return the connection to the server; the first worker starts it."""
    assert _folder
    address = _folder / "warm"
    with FileLock(_folder / "warm.lock"):
        try:
            return Connection(address)
        except OSError:
            address.unlink(missing_ok=True)
        code = os.pathsep.join([str(SOURCES), str(SOURCES.parent)])
        env = os.environ | ONE_THREAD | {"PYTHONPATH": code}
        subprocess.Popen(
            [sys.executable, __file__, str(address)], env=env, cwd=_folder, start_new_session=True
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                return Connection(address)
            time.sleep(0.05)
    raise AssertionError("the server of warm processes did not start")


def import_all() -> None:
    """Import all modules that a run can need."""
    import experiments

    names = [module.name for module in pkgutil.walk_packages(experiments.__path__, "experiments.")]
    with warnings.catch_warnings(action="ignore"):
        for name in (*names, *LIBRARIES):
            importlib.import_module(name)


def other_threads() -> list[str]:
    """Return the names of this process's threads besides the first and harmless ones."""
    own = str(os.getpid())
    tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != own]
    return [
        name
        for task in tasks
        if (name := (task / "comm").read_text(encoding="utf-8").strip()) not in HARMLESS
    ]


def serve(address: str) -> None:
    """Answer until no worker is connected any more; in a forked child return, to run its script."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen()
    clients: list[socket.socket] = []
    while True:
        for ready in select.select([listener, *clients], [], [])[0]:
            if ready is listener:
                clients.append(listener.accept()[0])
                continue
            data, files, _, _ = socket.recv_fds(ready, MESSAGE, 2)
            if not data:
                clients.remove(ready)
                if not clients:
                    os._exit(0)
                continue
            question = json.loads(data)
            if "ended" in question:
                _, status = os.waitpid(question["ended"], 0)
                ready.send(str(os.waitstatus_to_exitcode(status)).encode())
                continue
            assert not other_threads(), other_threads()
            pid = os.fork()
            if not pid:
                for end in (listener, *clients):
                    end.close()
                become(question, files)
                return
            for file in files:
                os.close(file)
            ready.send(str(pid).encode())


def become(question: dict[str, object], files: "Sequence[int] | array.array[int]") -> None:
    """Set the requested arguments, variables, folder and streams."""
    if question["session"]:
        os.setsid()
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), *files)):
        os.dup2(file, number)
        os.close(file)
    os.chdir(str(question["cwd"]))
    os.environ.clear()
    os.environ.update(question["env"])  # type: ignore[call-overload]
    sys.argv = list(question["args"])  # type: ignore[call-overload]
    for name in [name for name in sys.modules if name.partition(".")[0] == "experiments"]:
        if name != THREADS:
            del sys.modules[name]  # they read the variables when they are imported
    sys.path[:0] = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path.insert(0, str(Path(sys.argv[0]).parent))
    out = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    err = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    sys.stdout = sys.__stdout__ = out  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = err  # type: ignore[misc]


def script_code() -> int:
    """Run the script and its exit handlers, and return its exit code."""
    code: object = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as error:
        code = error.code
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    import_all()
    gc.freeze()  # a collection in a child would copy every page
    serve(sys.argv[1])
    os._exit(script_code())
