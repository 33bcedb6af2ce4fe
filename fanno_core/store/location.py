"""Where an output folder lies: a path on this machine, or `s3://bucket/folder` that a cluster shares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from fanno_core.errors import MissingExtra, RunStops
from fanno_core.extras import how_to_install

if TYPE_CHECKING:
    from upath import UPath

Location: TypeAlias = "Path | UPath"
"""A path on the disk is a `Path`, one on an object store a `UPath`; both join with `/`."""

# With its cache, s3fs would go on showing what a folder held when it was first listed, whatever other machines add.
# With botocore's 60 s a read, times its retries and those of s3fs, a store that hangs would cost half an hour.
OPTIONS: Mapping[str, Any] = {
    "use_listings_cache": False,
    "config_kwargs": {"connect_timeout": 10, "read_timeout": 20},
}
CREDENTIALS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile or role that boto3 finds"


def open_location(text: str) -> Location:
    """The place that a path or an `s3://` URL names. Nothing is read: credentials come from the environment later.

    A path is made absolute, with `~` expanded and links followed; `str()` of the result names the same place.

    Raises:
        RunStops: the URL has another scheme, no bucket, or more than bucket and folder.
        MissingExtra: s3fs is not installed.
    """
    if "://" not in text:
        return Path(text).expanduser().resolve()
    url = urlsplit(text)
    if "@" in url.netloc or url.query or url.fragment:
        # The URL is not repeated: what is too much in it may be a secret.
        raise RunStops(f"a {url.scheme}:// URL holds more than bucket and folder; give credentials as {CREDENTIALS}")
    if url.scheme != "s3":
        # Another store is one more case in objects.py; until then it is refused, since without writes that
        # are refused where an object is there already, two runs would share a folder.
        raise RunStops(f"{text}: only paths and s3:// URLs can be written; name one of these")
    folders = [part for part in url.path.split("/") if part]
    if not url.netloc or not folders or {".", ".."} & {*folders}:
        raise RunStops(f"{text}: name a bucket and a folder in it, as in s3://bucket/folder")
    try:
        import s3fs  # noqa: F401 - asked here, so that the message names the extra
        from upath import UPath
    except ImportError:
        raise MissingExtra(f"an s3:// URL needs s3fs and universal_pathlib: {how_to_install('s3')}") from None
    location: Location = UPath("/".join([f"s3://{url.netloc}", *folders]), **OPTIONS)
    return location
