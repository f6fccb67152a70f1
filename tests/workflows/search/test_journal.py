"""Trials of several processes: who has which, and what becomes of those whose process has gone."""

import os

import pytest

from hsi.workflows.search.journal import Journal, killed_twice, outcome, tally

FIRST = {"x": 0.5}


@pytest.fixture
def processes(tmp_path, monkeypatch):
    """Return a function that makes what one process has; each is as one of its own."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    made = []

    def make(seed=0):
        made.append(Journal(tmp_path, seed=seed, prune=False))
        return made[-1]

    yield make
    for each in made:
        each.close()


def claim(journal, total=10):
    """Take a trial and draw its number."""
    trial = journal.claim(total, first=FIRST)
    if trial is not None:
        trial.suggest_float("x", 0, 1)
    return trial


def die(journal):
    """Do what the system does when a process is killed: close its files, and no more."""
    journal._alive.close()
    journal._alive = None


def test_no_two_processes_have_the_same_trial(processes):
    one, other = processes(), processes()
    trials = [claim(each) for each in (one, other, one, other)]
    assert [trial.number for trial in trials] == [0, 1, 2, 3]
    assert len({trial.params["x"] for trial in trials}) == 4
    assert trials[0].params == FIRST


def test_trials_that_others_work_on_count_for_the_total(processes):
    one, other = processes(), processes()
    mine, theirs = claim(one, total=2), claim(other, total=2)
    assert claim(one, total=2) is None
    one.complete(mine, 0.5, {})
    assert claim(one, total=2) is None
    other.fail(theirs, "no reason", {})
    assert claim(other, total=2) is None
    assert tally(one.trials) == (1, 0, 1, 0)
    assert claim(other, total=3) is not None


def test_the_trial_of_a_process_that_was_killed_is_void_and_taken_again(processes):
    one, other = processes(), processes()
    first = claim(one)
    one.complete(first, 0.5, {})
    lost = claim(one)
    claim(other)
    die(one)
    again = claim(other)
    assert [outcome(each) for each in other.trials] == ["complete", "void", "running", "running"]
    assert tally(other.trials) == (1, 0, 0, 2)
    assert again.number == 3
    assert lost.number == 1


def test_the_living_are_left_alone(processes):
    one, other = processes(), processes()
    claim(one)
    claim(other)
    for _ in range(3):
        with other.claiming():
            other.void_abandoned()
    assert [outcome(each) for each in other.trials] == ["running", "running"]


def test_alone_it_has_the_very_same_settings_as_the_one_that_was_lost(processes):
    for _ in range(12):
        process = processes()
        process.complete(claim(process, total=20), 0.3, {})
    lost = claim(process, total=20)
    die(process)
    again = claim(processes(), total=20)
    assert again.params == lost.params
    assert again.number == lost.number + 1


def test_a_trial_that_takes_its_process_with_it_twice_has_failed(processes):
    """Or a search would be killed again and again by the same settings."""
    for _ in range(2):
        process = processes()
        lost = claim(process, total=3)
        assert lost.params == FIRST
        die(process)
    last = processes()
    other = claim(last, total=3)
    assert other.params != FIRST
    assert tally(last.trials) == (0, 0, 1, 1)
    assert [each.number for each in killed_twice(last.trials)] == [1]
    last.complete(other, 0.1, {})
    last.complete(claim(last, total=3), 0.1, {})
    assert claim(last, total=3) is None


def test_a_trial_that_was_stopped_may_be_stopped_as_often_as_one_likes(processes):
    for _ in range(4):
        process = processes()
        stopped = claim(process)
        assert stopped.params == FIRST
        process.abandon(stopped)
    assert tally(process.trials) == (0, 0, 0, 0)


def test_the_usual_settings_are_tried_even_if_their_first_trial_was_lost(processes):
    one, other = processes(), processes()
    assert claim(one).params == FIRST
    assert claim(other).params != FIRST
    die(one)
    assert claim(other).params == FIRST
    assert claim(other).params != FIRST


def test_another_seed_draws_otherwise(processes, tmp_path):
    def drawn(folder, seed):
        folder.mkdir()
        journal = Journal(folder, seed=seed, prune=False)
        trials = [claim(journal) for _ in range(4)]
        journal.close()
        return [trial.params["x"] for trial in trials]

    assert drawn(tmp_path / "a", 0) == drawn(tmp_path / "b", 0)
    assert drawn(tmp_path / "c", 1) != drawn(tmp_path / "d", 2)


def test_nothing_is_left_of_processes_that_end(processes, tmp_path):
    one, other = processes(), processes()
    claim(one)
    claim(other)
    assert len(list(tmp_path.glob(".search/process-*"))) == 2
    one.close()
    die(other)
    last = processes()
    claim(last)
    last.close()
    assert list(tmp_path.glob(".search/process-*")) == []
