"""torch.compile, for those who ask for it."""

from collections.abc import Callable
from typing import Any

import torch

from diabolo.errors import DiaboloError
from diabolo.objectives import Loss


def compiled(function: Callable[..., Loss]) -> Callable[..., Loss]:
    """`function` under torch.compile; when nothing can be compiled here (no C++ compiler, say) the error is one sentence."""
    from torch._dynamo.exc import TorchDynamoException  # slow to import, and wanted here alone

    fast = torch.compile(function, dynamic=False)

    def call(*arguments: Any) -> Loss:
        try:
            return fast(*arguments)
        except (TorchDynamoException, RuntimeError) as error:
            if isinstance(error, TorchDynamoException) or "ompiler" in str(error):
                reason = str(error).splitlines()[0]
                raise DiaboloError(f"--compile does not work here: {reason}; train without it") from error
            raise

    return call
