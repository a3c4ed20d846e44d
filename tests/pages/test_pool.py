"""Work that several processes share."""

import multiprocessing
import os
import signal

import pytest

from registry.errors import Unavailable
from registry.pages.build.plan import run_in_processes


def test_each_part_is_done_once_however_many_processes_there_are():
    for processes in (1, 3, 8):
        done = sorted(run_in_processes(lambda number: number**2, range(5), processes))
        assert done == [0, 1, 4, 9, 16], processes


def test_the_death_of_a_process_ends_the_whole():
    with pytest.raises(Unavailable, match="has died"):
        list(run_in_processes(os._exit, range(1, 5), 2))


def test_processes_end_though_sigterm_is_only_noted_where_they_were_forked():
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        assert sorted(run_in_processes(abs, range(-5, 0), 2)) == [1, 2, 3, 4, 5]
    finally:
        signal.signal(signal.SIGTERM, before)
    assert multiprocessing.active_children() == []
