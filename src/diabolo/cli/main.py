"""The way in: finds the verb, and turns every failure a user can cause into one sentence on stderr."""

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from cyclopts import App, CycloptsError, UnknownCommandError, UnknownOptionError, UnusedCliTokensError

from diabolo.cli.config import beneath_flags, no_empty_paths, whole_numbers
from diabolo.cli.help import ALL, WHOLE, TidyHelp
from diabolo.cli.messages import short_notices
from diabolo.cli.verbs import EVERYWHERE, VERBS
from diabolo.disk import DISK
from diabolo.errors import DiaboloError, UnknownNameError, listed
from diabolo.paths import as_path
from diabolo.plain import visible
from diabolo.trust import trusting
from diabolo.version import __version__

NARROWEST = 20  # characters a line


def build_app(config: Path | None = None) -> App:
    """The application; `config` is a YAML file of options beneath the flags."""
    app = App(
        name="diabolo",
        help="Train any autoencoder, measure it truthfully, look inside, write it up.",
        help_epilogue=EVERYWHERE,
        help_formatter=TidyHelp(),
        version=__version__,
        config=(*([] if config is None else [beneath_flags(config)]), whole_numbers, no_empty_paths),
        suppress_keyboard_interrupt=False,
    )
    for order, (verb, summary) in enumerate(VERBS.items()):
        app.command(f"diabolo.cli.{verb.replace('-', '_')}:app", name=verb, help=summary, sort_key=order)
    return app


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line `tokens` (sys.argv when left out).

    Exits with 2 for a word that is unknown or of the wrong kind, 1 for any other failure, 130 after Ctrl-C.
    """
    if tokens is None:
        _speak_utf8()
    _open_streams()
    try:
        os.getcwd()
    except FileNotFoundError:
        _fail("the folder in which it was started has been deleted; change to another one", 1)
    if tokens is None:  # Python processes that are started from here import nothing from the working directory
        os.environ.setdefault("PYTHONSAFEPATH", "1")
    words = list(sys.argv[1:] if tokens is None else tokens)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    end = words.index("--") if "--" in words else len(words)
    whole = WHOLE.set(ALL in words[:end])
    words = ["--help" if word == ALL else word for word in words[:end]] + words[end:]
    try:
        config, trusted = _take_config(words), _take(words, "--trust")
        with short_notices(), trusting(trusted):
            app = build_app(config)
            if words and words[0] not in VERBS and not words[0].startswith("-"):  # at once, with no verb imported
                raise UnknownNameError("command", words[0], VERBS, see="diabolo --help")
            if words[:1] in (["train"], ["sweep"]) and ":" in "".join(words[1:2]):  # a recipe of the user's own
                words[1] = _own_recipe(words[0], words[1])
            app(words, exit_on_error=False, print_error=False, result_action="return_value")
            sys.stdout.flush()  # so that a reader who has gone is noticed here
    except KeyboardInterrupt as stopped:
        _fail(str(stopped) or "stopped", 130)
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (CycloptsError, DiaboloError, OSError, MemoryError, RuntimeError) as error:
        sentence = _sentence(error)
        if debug or sentence is None:
            raise
        _fail(sentence, getattr(error, "exit_code", 2 if isinstance(error, ASKED_IN_VAIN) else 1))
    finally:
        WHOLE.reset(whole)


def _speak_utf8() -> None:
    """Start again with UTF-8 where the locale (C, POSIX) has another encoding for the names of files: what a run folder says of
    its images could not be found else, and arguments would not be what was typed."""
    if os.name == "posix" and sys.getfilesystemencoding() != "utf-8" and sys.executable:
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _open_streams() -> None:
    """Streams that whoever started us has closed lead nowhere; a terminal without UTF-8 gets "?" for what it cannot show."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for as long as the process lives
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for as long as the process lives
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    columns = os.environ.get("COLUMNS", "")
    if columns and not (columns.isdecimal() and int(columns) >= NARROWEST):
        del os.environ["COLUMNS"]  # nothing can be told in lines of no width


ASKED_IN_VAIN = (
    CycloptsError,
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)


def _own_recipe(verb: str, path: str) -> str:
    """The name of the recipe at package.module:recipe, which the `verb`, train or sweep, knows from now on."""
    from diabolo import zoo

    room = import_module(f"diabolo.cli.{verb}")
    name = zoo.recipe_at(path)
    if name not in room.app:
        room.offer(name)
    return name


def _take_config(words: list[str]) -> Path | None:
    """Take `--config FILE` out of the words."""
    found = _take(words, "--config")
    if len(found) > 1 or "" in found:
        raise CycloptsError(msg="--config takes one YAML file")
    return as_path(found[0]) if found else None


def _take(words: list[str], option: str) -> list[str]:
    """Take `option VALUE` out of the words, wherever it stands before a --; the values, "" for one that is missing."""
    found: list[str] = []
    end = words.index("--") if "--" in words else len(words)
    options = words[:end]
    while (i := next((i for i, word in enumerate(options) if word.partition("=")[0] == option), None)) is not None:
        _, equals, value = options.pop(i).partition("=")
        if not equals and i < len(options):
            value = options.pop(i)
        found.append(value)
    words[:end] = options
    return found


def _sentence(error: BaseException) -> str | None:
    """What to tell the user, or None for a failure that is not theirs."""
    if isinstance(error, UnusedCliTokensError):
        return f"nothing is known of {' '.join(error.unused_tokens or [])!r} here; options begin with --, see --help"
    if isinstance(error, UnknownCommandError):
        return _unknown_word(error)
    if isinstance(error, UnknownOptionError):
        return f"{str(error).rstrip('.')}; see --help" if "?" not in str(error) else str(error)
    if isinstance(error, OSError):
        told = error.strerror or str(error)
        if error.errno in DISK:
            told = f"the disk could not be written or read: {told}"
        return f"{error.filename}: {told}" if error.filename else told
    no_memory = isinstance(error, MemoryError) or "out of memory" in str(error) or "allocate memory" in str(error)
    if no_memory:
        return "there is not enough memory: use a smaller --batch-size, fewer or smaller images, or a smaller model"
    return None if isinstance(error, RuntimeError) else str(error).rstrip(".")


def _unknown_word(error: UnknownCommandError) -> str:
    """A word where a verb takes one of its own names, such as that of a model."""
    word = (error.unused_tokens or [""])[0]
    verb, names = " ".join(error.command_chain or ()), [name for name in error.app or () if name[0] != "-"]
    see = f"diabolo {verb} --help"
    if word.startswith("-"):
        return f"{verb} takes a name before the options; one of: {listed(names, see)}"
    return str(UnknownNameError("name", word, names, f" after {verb!r}", see))


def _fail(message: str, code: int) -> None:
    print(f"diabolo: {visible(' '.join(message.split()))}", file=sys.stderr)
    sys.exit(code)
