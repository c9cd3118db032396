"""What surrounds a computation and must not change it: torch's and numpy's settings, leftovers in the environment, caches that
cannot be written. What is computed depends on what was asked for, and on nothing that was set elsewhere in the program."""

import importlib
import io
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, suppress
from pathlib import Path

from diabolo.paths import own_temporary


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside the block (or the function that this decorates) new tensors are float32 and on the CPU unless told otherwise,
    gradients are recorded, autocast is off and numpy only warns, whatever the program has set; all is put back afterwards.

    For `torch.set_default_dtype`, `set_default_device`, `no_grad`, `inference_mode`, `autocast` and `numpy.seterr`.
    """
    import numpy as np
    import torch

    with ExitStack() as stack:
        dtype = torch.get_default_dtype()
        if dtype != torch.float32:
            torch.set_default_dtype(torch.float32)
            stack.callback(torch.set_default_dtype, dtype)
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        if not torch.is_grad_enabled():
            stack.enter_context(torch.enable_grad())
        for device in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        if "raise" in np.geterr().values():
            stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        yield


def quiet_joblib() -> None:
    """Let joblib, which scikit-learn imports, say nothing of processes: nothing of Diabolo has it start any.

    Where processes can share nothing, since /dev/shm is full or missing, it warns when it is imported. Where lscpu is missing,
    it may warn and print a traceback the first time it counts the physical cores, and LOKY_MAX_CPU_COUNT prevents that only
    below the number of all cores. So it counts them here, where nobody hears it.
    """
    warnings.filterwarnings("ignore", r".*joblib will operate in serial mode", UserWarning, r"joblib\.")
    if sys.platform == "linux" and shutil.which("lscpu") is None:
        from joblib import cpu_count

        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            cpu_count(only_physical_cores=True)


def ready_matplotlib() -> None:
    """Import matplotlib, though the environment names a backend that is not there: drawing into files needs none. A notebook
    hands MPLBACKEND=module://… to what it starts."""
    backend = os.environ.pop("MPLBACKEND", None) if "matplotlib" not in sys.modules else None
    try:
        import matplotlib
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend is not None:
        with suppress(ValueError):  # for whoever draws with pyplot beside us, where it is a backend
            matplotlib.rcParams["backend"] = backend


def ready_inductor() -> None:
    """Before a step is compiled: let torch keep what it compiles, for later trainings, where this user alone can write. What
    lies there is run, and others of the machine know the name of the folder that torch would take."""
    if "TORCHINDUCTOR_CACHE_DIR" not in os.environ:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(own_temporary("diabolo-inductor"))
    log = logging.getLogger("torch.utils.cpp_extension")  # warns of a CUDA that has no GPU, which nobody asked for
    level = log.level
    log.setLevel(logging.ERROR)
    with suppress(ImportError):
        importlib.import_module("torch.utils.cpp_extension")
    log.setLevel(level)


def ready_numba() -> None:
    """Before numba is imported: let it keep its compiled functions where that is possible, if it has nowhere else."""
    try:
        home = Path.home()
    except RuntimeError:
        home = Path(os.devnull)
    if not os.access(home, os.W_OK):
        os.environ.setdefault("NUMBA_CACHE_DIR", str(own_temporary("diabolo-numba")))
