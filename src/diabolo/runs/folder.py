"""A run folder: what it holds, read when that is asked for; and written by one process alone, the first of several."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from diabolo import distributed
from diabolo.data.images import Images
from diabolo.data.origin import again, of_run
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.runs import checkpoint, files, folders, history, lock
from diabolo.runs.config import Config
from diabolo.runs.history import History
from diabolo.runs.lines import shell_line
from diabolo.trust import Trust, trusting
