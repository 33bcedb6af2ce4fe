"""Objects on S3: whole reads and writes, and the conditional writes by which several machines take turns.

s3fs offers no `If-Match` and no listing from a name on, so requests are made through its `call_s3`, which brings
its sessions, retries and errors. Faults of the network come out as `TryAgain`, what a person must mend as
`RunStops`, and an absent object as `FileNotFoundError`.

Source: conditional requests as in docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from fanno_core.errors import RunStops, TryAgain
from fanno_core.store.location import CREDENTIALS

if TYPE_CHECKING:
    from upath import UPath

Item = TypeVar("Item")
Made = TypeVar("Made")

# A request waits for the network nearly all of its time.
REQUESTS_AT_ONCE = 16
NOT_FOUND, CONFLICT, PRECONDITION_FAILED = 404, 409, 412


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the store says of an object: its version, the owner named in it, and its age by the store's own clock."""

    etag: str
    owner: str
    age_s: float


def read_object(path: UPath) -> bytes:
    """The bytes of an object.

    Raises:
        FileNotFoundError: there is none.
        TryAgain, RunStops: the store cannot be reached, or refuses.
    """
    with _told(path):
        # More than one range at once would first ask for the size.
        data: bytes = path.fs.cat_file(path.path, max_concurrency=1)
    return data


def write_object(path: UPath, data: bytes) -> None:
    """Puts an object; a reader sees the old one or the new one, whole.

    Raises:
        TryAgain, RunStops: the store cannot be reached, or refuses.
    """
    with _bucket_there(path), _told(path):
        path.fs.pipe_file(path.path, data)


def create_object(path: UPath, data: bytes, owner: str = "") -> str | None:
    """The version of the object just put; None, and nothing is written, where there is one already.

    Raises:
        TryAgain, RunStops: the store cannot be reached, or refuses.
    """
    with _bucket_there(path):
        return _put_if(path, data, owner, IfNoneMatch="*")


def replace_object(path: UPath, data: bytes, owner: str, etag: str) -> str | None:
    """The version of the object just put; None, and nothing is written, where it is not of version `etag` any more.

    Raises:
        TryAgain, RunStops: the store cannot be reached, or refuses.
    """
    try:
        return _put_if(path, data, owner, IfMatch=etag)
    except FileNotFoundError:
        return None


def remove_object(path: UPath, etag: str = "") -> None:
    """Removes an object, if it is there, and, where `etag` is given, is still of that version.

    Raises:
        TryAgain, RunStops: the store cannot be reached, or refuses.
    """
    condition = {"IfMatch": etag} if etag else {}
    try:
        with _told(path):
            path.fs.call_s3("delete_object", **_named(path), **condition)
    except (FileNotFoundError, _Refused):
        pass


def stamp_of(path: UPath) -> Stamp | None:
    """Version, owner and age of an object; None where there is none.

    Raises:
        TryAgain, RunStops: the store cannot be reached, or refuses.
    """
    try:
        with _told(path):
            head = path.fs.call_s3("head_object", **_named(path))
    except FileNotFoundError:
        return None
    now = parsedate_to_datetime(head["ResponseMetadata"]["HTTPHeaders"]["date"])
    return Stamp(head["ETag"], head["Metadata"].get("owner", ""), (now - head["LastModified"]).total_seconds())


def names_after(folder: UPath, last: str = "") -> list[str]:
    """Names of the objects right in a folder that sort after `last`, in their order.

    Raises:
        TryAgain, RunStops: the store cannot be reached, or refuses.
    """
    bucket, prefix = _named(folder)["Bucket"], _named(folder)["Key"] + "/"
    request = {"Bucket": bucket, "Prefix": prefix, "Delimiter": "/", "StartAfter": prefix + last}
    names: list[str] = []
    while True:
        with _bucket_there(folder), _told(folder):
            page = folder.fs.call_s3("list_objects_v2", **request)
        names += [item["Key"].removeprefix(prefix) for item in page.get("Contents", [])]
        if not page["IsTruncated"]:
            return names
        request["ContinuationToken"] = page["NextContinuationToken"]


def at_once(function: Callable[[Item], Made], items: Iterable[Item], most: int = REQUESTS_AT_ONCE) -> list[Made]:
    """What the function makes of each item, in their order; several, at most so many, are under way at once."""
    with ThreadPoolExecutor(most) as pool:
        return list(pool.map(function, items))


class _Refused(OSError):
    """The condition of a conditional request does not hold."""


def _put_if(path: UPath, data: bytes, owner: str, **condition: str) -> str | None:
    try:
        with _told(path):
            done = path.fs.call_s3("put_object", **_named(path), Body=data, Metadata={"owner": owner}, **condition)
    except _Refused:
        return None
    etag: str = done["ETag"]
    return etag


def _named(path: UPath) -> dict[str, str]:
    bucket, _, key = path.path.partition("/")
    return {"Bucket": bucket, "Key": key}


@contextmanager
def _bucket_there(path: UPath) -> Iterator[None]:
    """For requests that miss nothing but the bucket."""
    try:
        yield
    except FileNotFoundError:
        raise RunStops(f"{path}: there is no bucket {_named(path)['Bucket']}; make it, or name another") from None


@contextmanager
def _told(path: UPath) -> Iterator[None]:
    """Errors of s3fs and botocore in this project's words. What the store says may hold a key, so it is not told."""
    from botocore.exceptions import BotoCoreError, NoCredentialsError, PartialCredentialsError
    from s3fs.core import S3_RETRYABLE_ERRORS

    try:
        yield
    except FileNotFoundError:
        raise
    except (NoCredentialsError, PartialCredentialsError):
        raise RunStops(f"{path}: the environment holds no credentials; set {CREDENTIALS}") from None
    except PermissionError:
        raise RunStops(f"{path}: access denied; allow reading, writing and listing there to the credentials") from None
    except (OSError, BotoCoreError, *S3_RETRYABLE_ERRORS) as error:
        if _status(error) in {CONFLICT, PRECONDITION_FAILED}:
            raise _Refused from None
        raise TryAgain(f"{path}: the object store did not serve a request ({type(error).__name__})") from None


def _status(error: Exception) -> int:
    """HTTP status that s3fs made an exception of; 0 where the store did not answer."""
    response: dict[str, Any] = getattr(error.__cause__, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
