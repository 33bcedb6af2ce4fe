"""An export to a data-set repository of the Hugging Face hub, private unless it is asked otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, cast

from fanno_core.errors import MissingExtra, RunStops, TryAgain
from fanno_core.extras import how_to_install

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PIECES = f"*-{'?' * 5}-of-{'?' * 5}.parquet"
"""Whatever is named so in the repository's folder is loaded as rows, also what an earlier export left there."""


MANIFEST = "export.json"
"""Says that an export wrote what stands beside it."""
MADE_WITH_IT = ".gitattributes"
"""What the hub puts into a new repository."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was uploaded, or would be.

    Attributes:
        repository: name of the data-set repository.
        private: whether nobody else sees it.
        url: address of the commit; empty: nothing was uploaded, since there is no token.
    """

    repository: str
    private: bool
    url: str = ""


def push(
    files: Mapping[str, bytes],
    repository: str,
    *,
    private: bool,
    force: bool = False,
    endpoint: str | None = None,
) -> Pushed:
    """Uploads the files in one commit where a token is found: HF_TOKEN, or what `hf auth login` left.

    Without a token nothing is done.

    Args:
        files: name to bytes.
        repository: `owner/name`, or a name among one's own.
        private: whether nobody else may see them: a repository that has to be made is so, and one that is there and
            public is refused.
        force: write also over files that no export put there.
        endpoint: address of the hub; None: huggingface_hub's own.

    Raises:
        RunStops: the repository's name is none, it is public or holds what no export wrote, or the hub refuses.
        TryAgain: the hub cannot be reached.
        MissingExtra: huggingface_hub is not installed.
    """
    try:
        from huggingface_hub import HfApi as Api
        from huggingface_hub import get_token
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
        from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]
    except ImportError:
        raise MissingExtra(f"--push-to-hub needs huggingface_hub: {how_to_install('models')}") from None
    try:
        validate_repo_id(repository)
    except HFValidationError:
        raise RunStops(f"--push-to-hub {repository!r}: name a repository as owner/name") from None
    token = get_token()
    if not token:
        return Pushed(repository, private)
    # Which HTTP library the hub's client uses changes with its version; its error's base is that library's.
    unreachable = cast("type[Exception]", HfHubHTTPError.__bases__[0])
    api = Api(endpoint=endpoint, token=token)
    try:
        return _commit(api, files, repository, private, force)
    except HfHubHTTPError as error:
        raise RunStops(
            f"the hub refused {repository} (status {error.response.status_code}); see that the token may write there"
        ) from None
    except (unreachable, OfflineModeIsEnabled, OSError) as error:
        raise TryAgain(
            f"the hub cannot be reached ({type(error).__name__}); unset HF_HUB_OFFLINE or try again"
        ) from None


def _commit(api: HfApi, files: Mapping[str, bytes], repository: str, private: bool, force: bool) -> Pushed:
    """Makes the repository where it is not there, and one commit: the files come, pieces that are left over go."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    name = api.create_repo(repository, repo_type="dataset", private=private, exist_ok=True).repo_id
    is_private = bool(api.dataset_info(name).private)
    if private and not is_private:
        raise RunStops(f"{name} is public: everybody would see the rows; --public says that this is meant")
    there = api.list_repo_files(name, repo_type="dataset")
    if not force and not {*there} <= {*files, MADE_WITH_IT, MANIFEST} and MANIFEST not in there:
        raise RunStops(f"{name} holds files that no export wrote; name another repository, or --force to write over it")
    gone = [path for path in there if fnmatchcase(path, PIECES) and "/" not in path and path not in files]
    manifest = json.dumps({"files": sorted(files)}, indent=2).encode()
    steps = [CommitOperationAdd(path, data) for path, data in {**files, MANIFEST: manifest}.items()]
    commit = api.create_commit(
        name, [*steps, *map(CommitOperationDelete, gone)], repo_type="dataset", commit_message="fanno export"
    )
    return Pushed(name, is_private, str(commit.commit_url))
