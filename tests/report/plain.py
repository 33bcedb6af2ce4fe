"""A finished run's folder read with pandas alone, so that a report's numbers can be computed a second time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def record(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "run.json").read_text())
    return found


def dataset(out: Path) -> pd.DataFrame:
    files = sorted((out / "dataset").glob("train-*.parquet"))
    return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)


def entries(out: Path, phase: str) -> list[dict[str, Any]]:
    """What the ledger says of a phase of the last run, job after job."""
    keys = record(out)["work"].get(phase, [])
    return [json.loads((out / f"work/ledger/{phase}/{key}.json").read_text())["entry"] for key in keys]


def kept(out: Path, phase: str, label: str = "") -> pd.DataFrame:
    """The rows that a phase kept, in shards whose labels begin so."""
    refs = [ref for entry in entries(out, phase) for ref in entry["kept"] if ref["label"].startswith(label)]
    return pd.concat([pd.read_parquet(out / ref["path"]) for ref in refs], ignore_index=True)


def extras(out: Path, phase: str, name: str) -> list[pd.DataFrame]:
    """An extra table of each job of a phase."""
    return [pd.read_parquet(out / entry["extras"][name]["path"]) for entry in entries(out, phase)]


def vectors(out: Path) -> np.ndarray[Any, Any]:
    """`[n, d]` the vectors of the rows' instructions, in the order of the data set."""
    tables = [*extras(out, "novelty", "vectors"), *extras(out, "augment", "vectors")]
    by_id = pd.concat(tables).set_index("id")["vector"]
    return np.stack([by_id[name] for name in dataset(out)["id"]]).astype(np.float64)
