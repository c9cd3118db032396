"""No finding of a model that has not learned; no row that costs the others."""

import json

import pytest

from diabolo.cli import study as verb
from diabolo.reports.document import Heading, Paragraph, Table
from diabolo.studies.engine import running, writing
from diabolo.studies.engine.plan import Plan
from diabolo.studies.engine.scripts import Script, find

SOURCE = """# %% [markdown]
# # What can be said
#
# And of what.

# %%
from diabolo import zoo
from diabolo.studies import Row, Study

# %% tags=["parameters"]
study = Study("said", data="digits", n_train=300, n_test=120, beta=50.0, sizes=2)
train, test = study.data()
study.needs("4", len(train) >= 1_000, "it needs 1,000 training images, and there are 300")
study.needs("1", len(train) >= 1_000, "it needs 1,000 training images, and there are 300", "the mixture")
good = study.train(zoo.pca, train, test, latent_dim=8)
grey = study.train(zoo.vae, train, test, latent_dim=4, hidden=(16,), beta=study.beta, epochs=3, lr=5e-3)
shown = study.train(zoo.vae, train, test, latent_dim=4, hidden=(16,), beta=60.0, epochs=3, may_fail="it is to collapse")


def curve() -> float:
    return grey.curve()[-1]


# %% [markdown]
# ## 1 One


# %%
@study.row("1", "One that has learned")
def one(row: Row) -> None:
    row.number("error", good.curve("validation")[-1], "per pixel")
    if row.can("the mixture"):
        raise AssertionError("it was ruled out")
    row.finding("PCA is good.")


# %% [markdown]
# ## 2 Two


# %%
@study.row("2", "One that has not")
def two(row: Row) -> None:
    row.finding(f"PCA has {len(good.history)} line of history.")
    row.number("loss", study.remember("the loss", [study.sizes], curve), "nats")
    row.finding("The VAE draws fine strokes.")
    row.finding("And loops.")


# %% [markdown]
# ## 3 Three


# %%
@study.row("3", "One that fails")
def three(row: Row) -> None:
    row.text(f"Before: {shown.curve()[-1] > 0}.")
    row.finding("It has collapsed, as it was to.")
    row.finding("It is fine.", about=(shown,))
    raise KeyError("nobody thought of this")


# %% [markdown]
# ## 4 Four


# %%
@study.row("4", "One that is known to be impossible")
def four(row: Row) -> None:
    raise AssertionError("it was ruled out")


# %% [markdown]
# ## 5 Five


# %%
@study.row("5", "One that rests on others")
def five(row: Row) -> None:
    row.finding(f"By row 1 it is {study.found('1')['error'].value > 0}.", rows=("1",))
    row.finding(f"By row 2 it is {study.found('2')['loss'].value > 0}.", rows=("2",))
    row.finding(f"By row 3 it is {study.found('3')}.", rows=("3",))
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("said")
    script = Script(folder / "said.py")
    script.path.write_text(SOURCE)
    plan = Plan(out=folder / "out", trained=folder / "trained")
    return script, plan, [_run(script, plan), _run(script, plan)]


def _run(script, plan):
    running.run(script, plan)
    return json.loads((plan.folder("said") / "results.json").read_text())["rows"]


def texts(row):
    return [block["text"] for block in row["blocks"] if block["block"] == "Paragraph"]


def test_findings_are_of_models_that_have_learned(whole):
    _, _, (rows, _) = whole
    assert "PCA is good." in texts(rows["1"])
    assert rows["1"]["models"]["pca (latent_dim 8)"]["state"] == "met"
    said = texts(rows["2"])
    assert said[0] == "PCA has 1 line of history."  # before the VAE was looked at
    assert "strokes" not in " ".join(said)
    (refused,) = said[1:]  # once, not for each sentence
    assert refused.startswith(
        "No finding is drawn here, because vae (latent_dim 4, beta 50.0, epochs 3) has not learned: its "
    )


def test_what_was_remembered_is_still_known_to_be_of_a_model_that_has_not_learned(whole):
    _, _, (first, second) = whole
    assert texts(first["2"]) == texts(second["2"])
    assert first["2"]["models"] == second["2"]["models"]


def test_a_model_that_is_there_to_fail_may_be_spoken_of_as_such(whole):
    _, _, (rows, _) = whole
    said = texts(rows["3"])
    assert "It has collapsed, as it was to." in said
    assert "It is fine." not in said


def test_a_row_that_fails_costs_no_other(whole):
    _, _, (rows, _) = whole
    assert list(rows) == ["1", "2", "3", "4", "5"]
    assert texts(rows["3"])[-1] == "Not measured, because the program failed (KeyError: 'nobody thought of this')."
    assert texts(rows["4"]) == ["Not measured, because it needs 1,000 training images, and there are 300."]
    assert (
        texts(rows["1"])[0] == "The mixture: not measured, because it needs 1,000 training images, and there are 300."
    )
    said = texts(rows["5"])
    assert said[0] == "By row 1 it is True."
    assert said[1].startswith("No finding is drawn here, because vae")
    assert said[2].startswith(
        "Not measured, because it rests on row 3, which was not measured, because the program failed"
    )


def test_what_cannot_be_measured_is_said_before_anything_is_trained(whole, tmp_path, capsys):
    script, _, _ = whole
    running.run(script, Plan(only=("1", "4"), out=tmp_path / "out", trained=tmp_path / "trained"))
    said = capsys.readouterr().out.splitlines()
    told = [i for i, line in enumerate(said) if "will not be measured, because" in line]
    assert [said[i].split()[1].strip(",") for i in told] == ["4", "1"]
    assert max(told) < min(i for i, line in enumerate(said) if "training" in line and "because" not in line)


def test_the_report_says_which_models_have_learned_and_which_rows_were_not_measured(whole):
    script, plan, _ = whole
    blocks = writing.document_of(script, plan.folder("said")).blocks
    headings = [block.text for block in blocks if isinstance(block, Heading)]
    assert {"Which models have learned", "Rows that were not measured"} <= set(headings)
    (table,) = [b for b in blocks if isinstance(b, Table) and "have not learned" in b.caption]
    assert {row[0] for row in table.rows} == {"vae (latent_dim 4, beta 50.0, epochs 3)"}
    assert any("1 of 2 models has learned." in b.text for b in blocks if isinstance(b, Paragraph))
    failed = blocks[blocks.index(next(b for b in blocks if getattr(b, "anchor", None) == "failed")) + 1 :][:3]
    assert [block.text.split()[0] for block in failed] == ["3", "4", "5"]
    assert all(": because " in block.text for block in failed)


def test_the_exit_code_tells(whole, capsys, tmp_path):
    script, plan, _ = whole
    given = {"out": plan.out, "trained": plan.trained, "report": False}
    with pytest.raises(SystemExit):
        verb.run(script, given)
    said = capsys.readouterr().out
    assert "not measured: 3 One that fails, because the program failed" in said
    assert "2: no findings, because vae (latent_dim 4, beta 50.0, epochs 3) has not learned (" in said
    verb.run(script, {**given, "only": ("1",), "out": tmp_path})


def test_of_models_that_draw_one_grey_mean_there_is_nothing_to_tell(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    few = {"data": "digits", "n_train": 150, "n_test": 60, "looked_at": 20, "map_epochs": 1, "vae_epochs": 1}
    study = running.run(find("generative"), Plan(few, True, ("2.1", "2.3"), tmp_path / "out", tmp_path / "trained"))
    for row in study.rows.values():
        texts = [block["text"] for block in row["blocks"] if block["block"] == "Paragraph"]
        assert texts
        assert all(text.startswith("No finding is drawn here, because ") for text in texts)
    blocks = writing.document_of(find("generative"), study.folder).blocks
    (told,) = [b.text for b in blocks if isinstance(b, Paragraph) and " models ha" in b.text]
    assert "1 of 6 models has learned." in told  # PCA
