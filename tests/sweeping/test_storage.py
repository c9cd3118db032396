"""Where a sweep is kept: journals that a kill has torn, addresses of databases, and what is no storage."""

import json
import os

import optuna
import pytest

from diabolo.errors import DiaboloError
from diabolo.sweeping.storage import opened, shown, study_of


def trials(out, address=None):
    with opened(out, address) as storage:
        return study_of(storage, "a", ["minimize"], False, "it").get_trials()


@pytest.fixture
def journal(tmp_path):
    with opened(tmp_path, None) as storage:
        study = study_of(storage, "a", ["minimize"], False, "it")
        for value in (3.0, 1.0):
            study.tell(study.ask(), value)
    return tmp_path / "journal.log"


def test_a_journal_is_read_again(journal):
    assert [trial.value for trial in trials(journal.parent)] == [3.0, 1.0]
    assert not list(journal.parent.glob("*.lock"))  # the lock is that of the folder


def test_half_a_line_of_a_dead_process_is_taken_away(journal):
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":4,"worker_id":"dead-1","study')
    with opened(journal.parent, None) as storage:
        study = study_of(storage, "a", ["minimize"], True, "it")
        study.tell(study.ask(), 2.0)
    assert [trial.value for trial in trials(journal.parent)] == [3.0, 1.0, 2.0]
    lines = [json.loads(line) for line in journal.read_bytes().splitlines()]
    assert journal.read_bytes().startswith(whole)
    assert not any(line["worker_id"] == "dead-1" for line in lines)


@pytest.mark.parametrize("content", [b"not json\nat all\n", b'{"a": 1}\n{"b": 2}\n', b"[]\n[]\n", b"\xff\xfe\n\xff\n"])
def test_a_file_that_is_no_journal_is_refused_in_one_sentence(tmp_path, content):
    (tmp_path / "journal.log").write_bytes(content)
    with pytest.raises(DiaboloError) as refused, opened(tmp_path, None):
        pass
    assert "journal" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("sqlite:////nowhere/at/all.db", "cannot be used"),
        ("nosuch://host/name", "cannot be used"),
        ("postgresql+pg8000://me@localhost/name", "needs pg8000: pip install pg8000"),
        ("://", "cannot be used"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_sentence(tmp_path, address, words):
    with pytest.raises(DiaboloError, match=words), opened(tmp_path, address):
        pass


def test_a_password_is_not_shown(tmp_path):
    told = shown(tmp_path, "postgresql+psycopg://me:secret@host/name")
    assert "secret" not in told
    assert "me" in told
    with pytest.raises(DiaboloError) as refused, opened(tmp_path, "postgresql+psycopg://me:secret@127.0.0.1:1/name"):
        pass
    assert "secret" not in str(refused.value)


def test_a_journal_may_lie_elsewhere_and_a_database_keeps_the_same(tmp_path):
    for address in (str(tmp_path / "other" / "j.log"), f"sqlite:///{tmp_path}/s.db"):
        with opened(tmp_path, address) as storage:
            study = study_of(storage, "a", ["minimize"], False, "it")
            study.tell(study.ask(), 5.0)
        assert [trial.value for trial in trials(tmp_path, address)] == [5.0]
    assert os.listdir(tmp_path / "other") == ["j.log"]


def test_another_sweep_in_the_storage_is_refused(journal):
    with opened(journal.parent, None) as storage:
        with pytest.raises(DiaboloError, match="holds another sweep"):
            study_of(storage, "b", ["minimize"], True, "it")
        assert optuna.study.get_all_study_names(storage) == ["a"]
