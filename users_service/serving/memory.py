"""What keeps a process of many threads small, and the garbage collector out of requests."""

import ctypes
import gc
import os

# Of mallopt(3): how many heaps the threads of a process share at most, and the bytes of a block that
# is taken from no heap, with the variables by which an operator says otherwise.
BOUNDS = (
    ("MALLOC_ARENA_MAX", -8, 2),
    ("MALLOC_MMAP_THRESHOLD_", -3, 2**20),
)

# Allocations, and collections of the younger generation, after which the garbage collector works.
GC_THRESHOLDS = (20_000, 50, 100)


def bound_heaps() -> None:
    """Let glibc's threads share few heaps, and keep large blocks out of them.

    By default it makes eight heaps for each core, and each keeps what was freed in it; and once the
    19 MiB for the hash of a password were freed, it takes them from a heap, and keeps them. So a
    process took 50 MiB more while 200 connections signed in. Python's threads seldom allocate at
    once, so nothing is lost.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt is not None:
        for variable, parameter, value in BOUNDS:
            if variable not in os.environ:
                mallopt(parameter, value)


def freeze_garbage() -> None:
    """Keep the garbage collector from what is there now, and let it work more seldom.

    Requests leave few cycles behind, but a long list has so many objects that the collector would
    look for some again and again while it is made.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
