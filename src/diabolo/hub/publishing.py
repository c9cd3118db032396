"""A run onto the Hugging Face Hub, in one commit: all of it is there, or nothing."""

from diabolo import disk
from diabolo.errors import DiaboloError
from diabolo.hub.card import check_licence
from diabolo.hub.contents import save
from diabolo.runs.loading import Run
from diabolo.runs.pretrained import NAME, asking, library

OURS = ("figures/", "prior/")  # folders whose files of an earlier commit go when they are not in this one


def publish(
    run: Run,
    name: str,
    licence: str,
    token: str | None = None,
    private: bool = False,
    pictures: bool | None = None,
    message: str = "A model trained with Diabolo",
) -> str:
    """Put the model of `run` onto the Hub as `name`, with its card and figures; `diabolo.from_pretrained(name)` opens it.

    Args:
        run: a run that has a folder.
        name: user/name or organisation/name; made when it is not there.
        licence, pictures: as in `save`.
        token: with the right to write; when left out that of `hf auth login`, or of HF_TOKEN.
        private: whether only those who are allowed see it, where it is new.
        message: of the commit.

    Returns:
        The address of the commit.

    Raises:
        DiaboloError: without a token or a network, or when the Hub refuses. Nothing is uploaded in part.

    Example:
        >>> from diabolo.hub import publish
        >>> publish(run, "me/digits-vae", licence="apache-2.0")  # doctest: +SKIP
        'https://huggingface.co/me/digits-vae/commit/…'
    """
    if not NAME.fullmatch(name):
        raise DiaboloError(f"{name!r} is no name on the Hub: it is user/name, such as me/digits-vae")
    check_licence(licence)
    hub = library()
    token = token or hub.get_token()
    if not token:
        raise DiaboloError(
            f"{name} was not published, since there is no token: make one with the right to write at "
            f"{hub.constants.ENDPOINT}/settings/tokens, then give it by hf auth login, or by the variable HF_TOKEN; nothing "
            "was uploaded"
        )
    api = hub.HfApi(token=token, library_name="diabolo")
    with disk.desk() as desk:
        folder = save(run, desk / "model", licence, pictures, name)
        written = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        with asking(f"{name} was not published"):
            api.create_repo(name, private=private, exist_ok=True)
            there = set(api.list_repo_files(name)) - {".gitattributes"}
        # An empty repository stays: what another process has put there since would be deleted with it
        begun = "" if there else " and is an empty repository now"
        with asking(f"{name} was not published{begun}"):
            stale = sorted(file for file in there if file.startswith(OURS) and file not in written)
            operations = [hub.CommitOperationAdd(file, str(path)) for file, path in sorted(written.items())]
            operations += [hub.CommitOperationDelete(file) for file in stale]
            return str(api.create_commit(name, operations, commit_message=message).commit_url)
