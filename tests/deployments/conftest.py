from __future__ import annotations

import pytest

from tests.conftest import Fanno
from tests.deployments.words import Here, here_with


@pytest.fixture
def here(fanno: Fanno, capsys: pytest.CaptureFixture[str]) -> Here:  # noqa: ARG001 - whose environment it needs
    return here_with(capsys)
