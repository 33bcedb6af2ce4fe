"""A real S3 API on loopback (moto behind HTTP), and folders on it and on the disk for tests that hold on both."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest

from fanno_core.store.location import Location, open_location

NUMBERS = count(1)
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


@contextmanager
def serving(change: Callable[[dict[str, Any]], object] = id) -> Iterator[str]:
    """Address of a server, which the environment names meanwhile, for child processes too.

    Args:
        change: what is done to each request before it is served; nothing, unless told.
    """
    s3fs = pytest.importorskip("s3fs", reason="needs fanno[s3]")
    moto = pytest.importorskip("moto.moto_server.werkzeug_app", reason="needs moto[server]")
    werkzeug = pytest.importorskip("werkzeug.serving", reason="needs moto[server]")
    application = one_at_a_time(moto.DomainDispatcherApplication(moto.create_backend_app), change)
    handler = type("Quiet", (werkzeug.WSGIRequestHandler,), {"log": lambda *_: None})
    server = werkzeug.make_server("127.0.0.1", 0, application, threaded=True, request_handler=handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "FSSPEC_"))]:
            patch.delenv(name)
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }.items():
            patch.setenv(name, value)
        # A client of another server would be used again: fsspec does not look at the environment.
        s3fs.S3FileSystem.clear_instance_cache()
        yield os.environ["AWS_ENDPOINT_URL"]
        s3fs.S3FileSystem.clear_instance_cache()
    server.shutdown()
    thread.join()


def one_at_a_time(application: Application, change: Callable[[dict[str, Any]], object]) -> Application:
    """The same, but whole requests one after another: moto's conditional writes look first and write then."""
    lock = Lock()

    def guarded(request: dict[str, Any], start: Any) -> Iterable[bytes]:
        with lock:
            change(request)
            return list(application(request, start))

    return guarded


def make_bucket() -> str:
    """URL of a new, empty bucket."""
    import s3fs

    name = f"fanno-{os.getpid()}-{next(NUMBERS)}"
    s3fs.S3FileSystem().mkdir(name)
    return f"s3://{name}"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Address of the session's server."""
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3_endpoint: str) -> str:  # noqa: ARG001 - the server has to be there
    """URL of a new, empty bucket."""
    return make_bucket()


@pytest.fixture(params=["disk", "s3"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """An output folder that is not there yet, on the disk and on S3."""
    return open_location(f"{tmp_path if request.param == 'disk' else request.getfixturevalue('bucket')}/out")
