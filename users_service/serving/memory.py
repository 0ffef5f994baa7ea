"""What keeps a process of many threads small, and the garbage collector out of requests."""

import ctypes
import gc
import os

# Of mallopt(3): how many heaps the threads of a process share at most.
M_ARENA_MAX = -8
ARENAS = 2

# Allocations, and collections of the younger generation, after which the garbage collector works.
GC_THRESHOLDS = (20_000, 50, 100)


def bound_heaps() -> None:
    """Let glibc's threads share a few heaps, unless the operator has said how many.

    By default it makes eight for each core, and each keeps what was freed in it: over 200
    connections that sent requests, a process took 40 MiB more. Python's threads seldom allocate at
    once, so nothing is lost.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(M_ARENA_MAX, ARENAS)


def freeze_garbage() -> None:
    """Keep the garbage collector from what is there now, and let it work more seldom.

    Requests leave few cycles behind, but a long list has so many objects that the collector would
    look for some again and again while it is made.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
