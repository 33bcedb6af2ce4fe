"""The built-in corpus: what the installed packages say of themselves, so that a first run needs no data.

It holds the long descriptions of installed packages and the docstrings of a few well-documented modules.
Files are found through package metadata; nothing is imported. The same environment gives the same sources.
"""

from __future__ import annotations

from importlib.metadata import Distribution, distributions
from itertools import islice
from pathlib import Path

from fanno_core.documents.readers.contract import Source
from fanno_core.documents.readers.opening import digest_of
from fanno_core.text import stable_id

# With the readers' own caps these and the docstrings below make 500 to 800 segments: enough for communities
# and a bandit to work on, minutes on a laptop's CPU.
DESCRIPTIONS = 100

# All come with this project's own dependencies, so that every environment has most of them. They were
# chosen for prose: most of each docstring is paragraphs, not signatures or examples.
MODULES: tuple[tuple[str, str], ...] = (
    ("click", "click/core.py"),
    ("click", "click/termui.py"),
    ("datasketch", "datasketch/hnsw.py"),
    ("datasketch", "datasketch/lsh.py"),
    ("datasketch", "datasketch/minhash.py"),
    ("igraph", "igraph/clustering.py"),
    ("igraph", "igraph/layout.py"),
    ("igraph", "igraph/seq.py"),
    ("jinja2", "jinja2/environment.py"),
    ("leidenalg", "leidenalg/Optimiser.py"),
    ("leidenalg", "leidenalg/functions.py"),
    ("nltk", "nltk/classify/maxent.py"),
    ("nltk", "nltk/corpus/reader/wordnet.py"),
    ("nltk", "nltk/probability.py"),
    ("nltk", "nltk/stem/snowball.py"),
    ("nltk", "nltk/tag/hmm.py"),
    ("numpy", "numpy/_core/fromnumeric.py"),
    ("numpy", "numpy/fft/__init__.py"),
    ("numpy", "numpy/fft/_pocketfft.py"),
    ("numpy", "numpy/lib/_function_base_impl.py"),
    ("numpy", "numpy/linalg/_linalg.py"),
    ("numpy", "numpy/polynomial/chebyshev.py"),
    ("pandas", "pandas/core/arrays/categorical.py"),
    ("pandas", "pandas/core/frame.py"),
    ("pandas", "pandas/core/generic.py"),
    ("pandas", "pandas/core/groupby/generic.py"),
    ("pandas", "pandas/core/indexes/base.py"),
    ("pandas", "pandas/core/series.py"),
    ("pandas", "pandas/core/strings/accessor.py"),
    ("prefect", "prefect/deployments/runner.py"),
    ("prefect", "prefect/flows.py"),
    ("prefect", "prefect/server/orchestration/rules.py"),
    ("prefect", "prefect/tasks.py"),
    ("pyarrow", "pyarrow/dataset.py"),
    ("pyarrow", "pyarrow/parquet/core.py"),
    ("pydantic", "pydantic/fields.py"),
    ("pydantic", "pydantic/main.py"),
    ("pydantic", "pydantic/type_adapter.py"),
    ("rich", "rich/console.py"),
    ("rich", "rich/progress.py"),
    ("sqlalchemy", "sqlalchemy/engine/base.py"),
    ("sqlalchemy", "sqlalchemy/ext/automap.py"),
    ("sqlalchemy", "sqlalchemy/ext/hybrid.py"),
    ("sqlalchemy", "sqlalchemy/orm/events.py"),
    ("sqlalchemy", "sqlalchemy/orm/session.py"),
    ("sqlalchemy", "sqlalchemy/sql/selectable.py"),
    ("sqlalchemy", "sqlalchemy/sql/type_api.py"),
)

# Some packages put their whole licence where its name belongs.
LICENCE_CHARS = 100


def installed_docs() -> list[Source]:
    """Descriptions and docstrings of the installed Python packages, to try FANNO without documents of your own.

    Sorted by name.
    """
    installed: dict[str, Distribution] = {}
    for package in distributions():
        installed.setdefault(_canonical(_header(package, "Name")), package)
    # By digest rather than by name: an even sample, which one more package hardly changes.
    described = (_description(installed[name]) for name in sorted(installed, key=stable_id) if name)
    found = [*islice(filter(None, described), DESCRIPTIONS)]
    found += filter(None, (_docstrings(installed.get(_canonical(name)), file) for name, file in MODULES))
    return sorted(found, key=lambda source: source.name)


def _description(package: Distribution) -> Source | None:
    for file in package.files or []:
        if file.name == "METADATA" and file.parent.suffix == ".dist-info":
            name = f"{_header(package, 'Name')} (package description)"
            return _source(package, str(file), name, "metadata")
    return None


def _docstrings(package: Distribution | None, file: str) -> Source | None:
    if package is None:
        return None
    module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return _source(package, file, f"{module} (docstrings)", "docstrings")


def _source(package: Distribution, file: str, name: str, kind: str) -> Source | None:
    path = Path(str(package.locate_file(file)))
    if not path.is_file():
        return None
    return Source(str(path.resolve()), name, kind, "", digest_of(path), _licence(package))


def _licence(package: Distribution) -> str:
    """What the package says of its licence, if it says it in a few words."""
    stated = _header(package, "License-Expression") or _header(package, "License")
    classifiers = [c for c in package.metadata.get_all("Classifier") or [] if c.startswith("License ::")]
    if stated and len(stated) <= LICENCE_CHARS:
        return stated
    return classifiers[0].rpartition(":: ")[2] if classifiers else ""


def _header(package: Distribution, name: str) -> str:
    values = package.metadata.get_all(name) or [""]
    return str(values[0]).strip()


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
