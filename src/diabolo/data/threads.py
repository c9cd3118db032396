"""Work on every core that this process may use."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def cores() -> int:
    """How many cores this process may really use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(function: Callable[[int], T], items: Iterable[int]) -> Iterator[T]:
    """`map` on all cores, a few tasks ahead of the caller; when it stops or a task fails, what has not begun is dropped."""
    pool = ThreadPoolExecutor(cores(), thread_name_prefix="diabolo-decode")
    ahead = deque[Future[T]]()
    try:
        for item in items:
            ahead.append(pool.submit(function, item))
            if len(ahead) > 2 * cores():
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
