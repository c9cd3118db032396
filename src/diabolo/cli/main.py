"""The way in: finds the verb, and turns every failure a user can cause into one sentence on stderr."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cyclopts import App, CycloptsError
from cyclopts.config import Yaml

from diabolo import __version__
from diabolo.errors import DiaboloError, UnknownNameError

VERBS = {
    "quickstart": "Train PCA, an autoencoder and a VAE on real handwriting, and look at them: under two minutes.",
    "train": "Train a model: diabolo train vae --data mnist --latent-dim 16 --epochs 10.",
    "resume": "Go on with an interrupted run, or train a finished one for further epochs.",
    "sample": "Images decoded from a trained model's prior.",
    "reconstruct": "Image files in, their reconstructions out.",
    "encode": "Image files in, their codes out, as .npy or .csv.",
    "models": "The models that can be trained, their options and papers.",
    "data": "The data sets by name; 'data prepare NAME' fetches and decodes one.",
    "info": "What a run folder holds.",
}


def build_app(config: Path | None = None) -> App:
    """The application; `config` is a YAML file of options beneath the flags."""
    app = App(
        name="diabolo",
        help="Train any autoencoder, measure it truthfully, look inside, write it up.",
        version=__version__,
        config=() if config is None else Yaml(config, must_exist=True, use_commands_as_keys=False),
    )
    for verb, summary in VERBS.items():
        app.command(f"diabolo.cli.{verb}:app", name=verb, help=summary)
    return app


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line `tokens` (sys.argv when left out) and exit: 0 well, 2 for a word unknown, 1 for the rest."""
    # OpenMP threads that spin on while they wait slow a machine shared with other work down tenfold; 10,000 turns are enough
    # for the gap between two operations. Read when torch is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    words = list(sys.argv[1:] if tokens is None else tokens)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        config = _take_config(words)
        build_app(config)(words, exit_on_error=False, print_error=False, result_action="return_value")
    except (CycloptsError, DiaboloError, FileNotFoundError) as error:
        if debug:
            raise
        if isinstance(error, FileNotFoundError) and error.filename is not None:
            _fail(f"there is no file {error.filename}", 1)
        _fail(str(error), 2 if isinstance(error, CycloptsError | UnknownNameError) else 1)
    except KeyboardInterrupt:
        _fail("stopped at once; what the last finished epoch left is on disk", 130)
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _take_config(words: list[str]) -> Path | None:
    """Take `--config FILE` out of the words."""
    for i, word in enumerate(words):
        if word == "--config" and i + 1 < len(words):
            path = Path(words[i + 1])
            del words[i : i + 2]
        elif word.startswith("--config="):
            path = Path(word.partition("=")[2])
            del words[i]
        else:
            continue
        if not path.is_file():
            raise DiaboloError(f"there is no config file {path}")
        return path
    return None


def _fail(message: str, code: int) -> None:
    print(f"diabolo: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)
