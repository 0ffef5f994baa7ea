"""Greenlets of one thread: while one waits, others go on."""

import os
import select
import time
from concurrent.futures import ThreadPoolExecutor

from pyramid.threadlocal import manager

from users_service import waits
from users_service.waits import Waits


def in_thread_of_its_own(function):
    """Run a function in a thread that has no waits yet; let its failure be the test's."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(function).result()


def test_one_that_sleeps_lets_others_go_on_and_is_woken_when_it_is_due():
    def check():
        own, said = waits.of_thread(), []

        def sleep(name, seconds):
            said.append(f"{name} begins")
            waits.sleep(seconds)
            said.append(f"{name} ends")

        start = time.monotonic()
        own.run(sleep, "long", 0.2)
        own.run(sleep, "short", 0.1)
        own.run(said.append, "other")
        assert said == ["long begins", "short begins", "other"]
        while own.pending:
            own.resume(5)
        assert said[3:] == ["short ends", "long ends"]
        assert 0.2 <= time.monotonic() - start < 5

    in_thread_of_its_own(check)


def test_one_that_waits_for_a_file_descriptor_goes_on_when_that_is_ready():
    def check():
        own, said = waits.of_thread(), []
        reading, writing = os.pipe()

        def read():
            said.append(waits.current().for_events(reading, select.POLLIN))
            said.append(os.read(reading, 10))
            said.append(waits.current().for_events(reading, select.POLLIN))

        own.run(read)
        assert not own.resume()
        assert own.waiting.keys() == {reading}
        os.write(writing, b"text")
        assert own.resume(5)
        assert said == [select.POLLIN, b"text"]
        os.close(writing)  # the other end is lost
        assert own.resume(5)
        assert said[2] & select.POLLHUP
        assert not own.pending
        os.close(reading)

    in_thread_of_its_own(check)


def test_each_has_a_stack_of_pyramids_own():
    def check():
        own, found = waits.of_thread(), []

        def serve(name):
            manager.push({"request": name, "registry": None})
            waits.sleep(0)
            found.append((name, manager.get()["request"], len(manager.stack)))
            manager.pop()

        for name in ("first", "second"):
            own.run(serve, name)
        while own.pending:
            own.resume()
        assert found == [("first", "first", 1), ("second", "second", 1)]

    in_thread_of_its_own(check)


def test_one_that_is_about_to_block_says_so_and_outside_nobody_is_told():
    def check():
        waits.about_to_block()
        own, said = waits.of_thread(), []
        own.about_to_block = lambda: said.append("blocks")
        waits.about_to_block()
        assert not said
        assert waits.current() is None
        own.run(waits.about_to_block)
        assert said == ["blocks"]

    in_thread_of_its_own(check)


def test_the_next_to_wake_up_bounds_how_long_sockets_are_watched():
    def check():
        own = Waits()
        assert own.patience(3) == 3
        own.run(own.sleep, 2)
        assert 1 < own.patience(3) <= 2
        assert own.patience(0.5) == 0.5

    in_thread_of_its_own(check)
