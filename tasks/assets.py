"""The data set as a Prefect asset whose upstream is the corpus: who looks for where data came from finds it there.

Prefect's own server keeps assets as events (`prefect.asset.materialization.succeeded`); Prefect Cloud draws them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from prefect.assets import Asset, AssetProperties, add_asset_metadata
from prefect.context import AssetContext

from fanno_core.dataset.publish import FOLDER, read_manifest
from fanno_core.documents.sources import BUILT_IN
from fanno_core.settings import Settings
from fanno_core.store.location import Location
from fanno_core.text import stable_id

# Prefect refuses these in a key, and keys longer than 512 characters.
UNFIT = re.compile(r"[\s\x00#?&%\"'<>\[\]{}|\\^`]")
LONGEST = 480


def dataset_asset(out: Location, settings: Settings) -> Asset:
    """The data set of an output folder."""
    described = AssetProperties(name=settings.publish.name, description="Instruction data that FANNO made")
    return Asset(key=_dataset_key(out), properties=described)


def corpus_assets(corpus: Sequence[str]) -> list[Asset]:
    """What the data set is made from, one for each entry of the corpus."""
    return [
        Asset(key=asset_key(f"fanno://{entry}" if entry in BUILT_IN else f"file://{os.path.abspath(entry)}"))  # noqa: PTH100
        for entry in corpus
    ]


def asset_key(uri: str) -> str:
    """The URI, or where Prefect would refuse it, one like it that no other URI has."""
    fit = UNFIT.sub("_", uri)[:LONGEST]
    return fit if fit == uri else f"{fit}~{stable_id(uri)}"


def tell_of_dataset(folder: Location) -> None:
    """Adds rows, digest and path to the asset that the present task makes; nothing where it makes none.

    Args:
        folder: the output folder.
    """
    context, key = AssetContext.get(), _dataset_key(folder)
    if context and key in {asset.key for asset in context.downstream_assets}:
        manifest = read_manifest(folder)
        told = {"rows": manifest["rows"], "digest": manifest["digest"], "path": str(folder / FOLDER)}
        add_asset_metadata(key, told)


def _dataset_key(out: Location) -> str:
    place = out / FOLDER
    return asset_key(f"file://{place}" if isinstance(place, Path) else str(place))
