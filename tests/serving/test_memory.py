"""The memory of a process that serves with many threads."""

import ctypes
import os
import re
import subprocess
import sys
from threading import Barrier, Thread

import pytest

from users_service.serving.memory import bound_heaps

glibc = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_info"), reason="another C library than glibc"
)


def allocate_in_threads() -> None:
    """Let 16 threads allocate at once, and print what glibc says of its heaps."""
    bound_heaps()
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    meeting = Barrier(16)

    def allocate() -> None:
        meeting.wait()
        libc.malloc(1000)
        meeting.wait()

    threads = [Thread(target=allocate) for _ in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
    libc.fflush(None)


def heaps(**environ: str) -> int:
    made = subprocess.run(
        [sys.executable, "-m", __name__],
        env={k: v for k, v in os.environ.items() if k != "MALLOC_ARENA_MAX"} | environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return len(re.findall("<heap nr=", made.stdout))


@glibc
def test_threads_share_few_heaps():
    assert heaps() == 2


@glibc
def test_the_operator_may_say_how_many():
    assert heaps(MALLOC_ARENA_MAX="4") == 4


if __name__ == "__main__":
    allocate_in_threads()
