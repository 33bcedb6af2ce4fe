"""One tree of errors, by what has to happen next.

* `TryAgain`: the cause is passing; the same call may succeed.
* `RowStops`: this row cannot go on; it is rejected with a reason code.
* `RunStops`: a person must act; the message is one sentence that says what, where and what to do.

Messages end up in logs and in Prefect's database: they never hold document text or a secret.
"""


class FannoError(Exception):
    """Root of every error that this project raises on purpose."""


class TryAgain(FannoError):
    """A passing fault (a busy server, a reset connection): the call may be made again."""


class RowStops(FannoError):
    """One row cannot go on.

    Args:
        reason: the reason code that the rejected row will carry, such as `not_utf8`.
        message: one sentence for a person, without the row's text.
    """

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class RunStops(FannoError):
    """The run cannot go on until a person acts."""


class BadSettings(RunStops):
    """A setting is unknown, of the wrong type or out of range."""


class BadCorpus(RunStops):
    """The corpus cannot be read at all, or nothing of it is left."""


class MissingExtra(RunStops):
    """An optional package is not installed; the message names the extra to install."""


class ShardDamaged(RunStops):
    """A committed file is missing, or its bytes are not those that the ledger names."""


class RowsLost(RunStops):
    """A phase's candidates are not its kept rows plus its rejected rows."""


class ContractBroken(RunStops):
    """Rows do not fit their contract: a wrong type, a null, a doubled key."""


class OutBusy(RunStops):
    """Another run owns this output folder."""
