"""`diabolo publish RUN user/name`."""

from pathlib import Path

from cyclopts import App

from diabolo.cli.verbs import VERBS
from diabolo.ranges import checked
from diabolo.terminal import say

app = App(name="publish", help=VERBS["publish"])


@app.default
@checked
def command(run: Path, name: str, /, *, licence: str, private: bool = False, pictures: bool | None = None) -> None:
    """Put the model of a run onto the Hugging Face Hub, with a card that says what was measured: its scores with intervals, the
    lines that made it, its figures, licence and terms of the data. It is one commit; the token is that of hf auth login, or of
    the variable HF_TOKEN.

    Args:
        run: the run folder; evaluate it before, so that its card has scores.
        name: user/name on the Hub; made when it is not there.
        licence: of the weights, by its id, such as apache-2.0, mit or cc-by-nc-4.0.
        private: make it private, where it is new.
        pictures: whether figures on which images are seen go with it; when left out, those of data sets that are known by name
            and may be shown.
    """
    from diabolo import hub
    from diabolo.runs.loading import load_run

    say(hub.publish(load_run(run), name, licence, private=private, pictures=pictures))
