"""Work beside the page: the latest of each kind, in turn, and no failure ends it."""

import queue
import threading


def test_only_the_latest_job_of_a_key_is_done(lane):
    go, begun, found = threading.Event(), threading.Event(), queue.Queue()

    def first():
        begun.set()
        go.wait(5)
        return "first"

    lane.submit("a", first, found.put)
    begun.wait(5)
    for i in range(1000):
        lane.submit("a", lambda i=i: i, found.put)
    lane.submit("b", lambda: "b", found.put)
    go.set()
    assert [found.get(timeout=5) for _ in range(3)] == ["first", 999, "b"]
    assert found.empty()


def test_a_failure_is_handed_over_and_the_thread_goes_on(lane):
    found = queue.Queue()
    lane.submit("a", lambda: 1 / 0, found.put)
    lane.submit("b", lambda: 2, found.put)
    assert isinstance(found.get(timeout=5), ZeroDivisionError)
    assert found.get(timeout=5) == 2


def test_what_a_closed_page_waits_for_is_forgotten(lane):
    go, begun, found = threading.Event(), threading.Event(), queue.Queue()
    lane.submit("hold", lambda: (begun.set(), go.wait(5)), lambda _: None)
    begun.wait(5)
    lane.submit((1, "map"), lambda: "closed", found.put)
    lane.submit((2, "map"), lambda: "open", found.put)
    lane.drop(1)
    go.set()
    assert found.get(timeout=5) == "open"
    assert found.empty()


def test_somebody_who_has_gone_does_not_end_it(lane):
    found = queue.Queue()

    def gone(value):
        raise AttributeError("the page is closed")

    lane.submit("first", lambda: 1, gone)
    lane.submit("second", lambda: 2, found.put)
    assert found.get(timeout=10) == 2
