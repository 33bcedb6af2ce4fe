"""Names of licences: the spellings that people use to SPDX ids, their families, and which of them are open.

Covered: licences of documents, packages and model weights that are met in practice, and SPDX expressions of them.
Not covered: the texts of licences, and licences made for one model (Llama, Gemma, Falcon's older one ...): their
names are known, so that they can be allowed, but they are not open.

Source: ids and their spelling as in the SPDX licence list 3.27; `Source`, `OSI` and `FSF` columns for what is open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

OPEN = (
    "0BSD", "AFL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "Artistic-2.0", "BlueOak-1.0.0",
    "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-2.0",
    "CC-BY-SA-2.5", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-PDDC", "CC0-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0",
    "CDLA-Sharing-1.0", "ECL-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.1", "EUPL-1.2", "GFDL-1.2-or-later",
    "GFDL-1.3-or-later", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "HPND", "ISC",
    "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0", "MIT-CMU", "MPL-1.1",
    "MPL-2.0", "MS-PL", "NCSA", "ODbL-1.0", "ODC-By-1.0", "OFL-1.1", "OGL-UK-3.0", "OpenMDW-1.0", "PDDL-1.0",
    "PostgreSQL", "PSF-2.0", "Python-2.0", "Unicode-3.0", "Unlicense", "UPL-1.0", "WTFPL", "Zlib", "ZPL-2.1",
)  # fmt: skip
NOT_OPEN = (
    "BigScience-BLOOM-RAIL-1.0", "BigScience-OpenRAIL-M", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-3.0",
    "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-3.0", "CC-BY-ND-4.0", "CreativeML-OpenRAIL-M",
    "DeepSeek", "Gemma", "Llama-2", "Llama-3", "Llama-3.1", "Llama-3.2", "Llama-3.3", "OpenRAIL",
)  # fmt: skip
"""Weights under a RAIL licence restrict use, so that they are not open by the Open Source Definition."""

SPELLINGS: Mapping[str, str] = {
    "apache": "Apache-2.0", "apache-2": "Apache-2.0", "apache2": "Apache-2.0", "apache-software": "Apache-2.0",
    "apache-software-2": "Apache-2.0", "asl-2": "Apache-2.0", "artistic-2": "Artistic-2.0", "bsd": "BSD-3-Clause",
    "new-bsd": "BSD-3-Clause", "modified-bsd": "BSD-3-Clause", "revised-bsd": "BSD-3-Clause", "bsd-3": "BSD-3-Clause",
    "3-clause-bsd": "BSD-3-Clause", "bsd-2": "BSD-2-Clause", "simplified-bsd": "BSD-2-Clause", "freebsd":
    "BSD-2-Clause", "2-clause-bsd": "BSD-2-Clause", "zero-clause-bsd": "0BSD", "boost": "BSL-1.0", "boost-software":
    "BSL-1.0", "boost-software-1": "BSL-1.0", "expat": "MIT", "x11": "MIT", "mit-no-by": "MIT-0",
    "cc0": "CC0-1.0", "cc-zero": "CC0-1.0", "cc-zero-1": "CC0-1.0", "cc-by": "CC-BY-4.0", "cc-by-sa": "CC-BY-SA-4.0",
    "cc-by-nc": "CC-BY-NC-4.0", "cc-by-nd": "CC-BY-ND-4.0", "cc-by-nc-sa": "CC-BY-NC-SA-4.0", "cc-by-nc-nd":
    "CC-BY-NC-ND-4.0", "public-domain": "CC-PDDC", "publicdomain": "CC-PDDC", "cdla-permissive": "CDLA-Permissive-2.0",
    "gpl": "GPL-3.0-or-later", "gpl-2": "GPL-2.0-only", "gpl-2+": "GPL-2.0-or-later", "gpl-3": "GPL-3.0-only",
    "gpl-3+": "GPL-3.0-or-later", "lgpl": "LGPL-3.0-or-later", "lgpl-2.1": "LGPL-2.1-only", "lgpl-2.1+":
    "LGPL-2.1-or-later", "lgpl-2+": "LGPL-2.1-or-later", "lgpl-3": "LGPL-3.0-only", "lgpl-3+": "LGPL-3.0-or-later",
    "agpl": "AGPL-3.0-or-later", "agpl-3": "AGPL-3.0-only", "agpl-3+": "AGPL-3.0-or-later", "gfdl":
    "GFDL-1.3-or-later", "gfdl-1.3": "GFDL-1.3-or-later", "gnu-free-documentation": "GFDL-1.3-or-later",
    "mpl": "MPL-2.0", "mpl-2": "MPL-2.0", "mozilla-public-2": "MPL-2.0", "eupl": "EUPL-1.2", "iscl": "ISC",
    "psf": "PSF-2.0", "psfl": "PSF-2.0", "python-software-foundation": "PSF-2.0", "zlib/libpng": "Zlib",
    "odbl": "ODbL-1.0", "odc-by": "ODC-By-1.0", "pddl": "PDDL-1.0", "ogl": "OGL-UK-3.0", "openmdw": "OpenMDW-1.0",
    "llama2": "Llama-2", "llama3": "Llama-3", "llama3.1": "Llama-3.1", "llama3.2": "Llama-3.2", "llama3.3":
    "Llama-3.3", "llama-3.1-community": "Llama-3.1", "llama-3.2-community": "Llama-3.2", "llama-3.3-community":
    "Llama-3.3", "llama-2-community": "Llama-2", "llama-3-community": "Llama-3",
}  # fmt: skip
"""What folding leaves of usual spellings. One without a version is taken for the newest of its family."""

VERSION = re.compile(r"-\d.*$")
_IDS = {name.casefold(): name for name in (*OPEN, *NOT_OPEN)}
_FAMILIES = {VERSION.sub("", name) for name in _IDS}

CC_URL = re.compile(r"creativecommons\.org/(?:licen[cs]es/(?P<kind>[a-z-]+)|publicdomain/(?P<zero>zero))/(?P<v>\d\.\d)")
PUBLIC_DOMAIN_URL = re.compile(r"creativecommons\.org/publicdomain/mark")
OTHER_URL = re.compile(
    r"(?:opensource\.org/licen[cs]es?|spdx\.org/licenses|(?P<who>apache|gnu|mozilla)\.org/(?:licenses|(?:en-us/)?mpl))"
    r"/(?:licen[cs]e-)?(?P<name>[\w.+-]+?)(?:-standalone)?(?:\.html|\.txt|\.en\.html|/)*$"
)
PREFIXES = {"apache": "apache-", "mozilla": "mpl-"}
WORDS = (
    (r"\bgnu lesser general public\b", "lgpl"),
    (r"\bgnu affero general public\b", "agpl"),
    (r"\bgnu general public\b", "gpl"),
    (r"\bor later\b", "+"),
    (r"\bcreative commons\b", "cc"),
    (r"\battribution\b", "by"),
    (r"\bnon-?commercial\b", "nc"),
    (r"\bno-?deriv(?:ative)?s\b", "nd"),
    (r"\bshare-?alike\b", "sa"),
    (r"\b(?:licen[cs]ed?|the|under|terms|of|version|international|unported|generic|universal|deed)\b|,", " "),
    (r"(?:\b|(?<=l))v\.? ?(?=\d)", " "),  # v2.0, gplv3
    (r"[ -]+", "-"),
    (r"-(?=\+)|^-|-$", ""),
)
TWICE = re.compile(r"([^()]+)\(([^()]+)\)")  # GNU General Public License v3 (GPLv3)
EXCEPTION = re.compile(r"\s+WITH\s+[\w.-]+")  # which only adds permissions
OPERATORS = re.compile(r"([()]|\bAND\b|\bOR\b)")
MOST_NESTED = 16


def spdx_of(stated: str) -> str:
    """The SPDX id of a licence as somebody wrote it; empty where none is recognised."""
    text = " ".join(stated.casefold().rpartition("::")[2].split())
    if text.startswith(("http://", "https://", "www.", "creativecommons.org")):
        return _of_url(text)
    twice = TWICE.fullmatch(text)
    return _of_words(text) or (_of_words(twice[2]) or _of_words(twice[1]) if twice else "")


def family_of(name: str) -> str:
    """An SPDX id without its version: `CC-BY-SA` of `CC-BY-SA-4.0`, `GPL` of `GPL-2.0-only`."""
    return VERSION.sub("", name)


def is_id_or_family(name: str) -> bool:
    """Whether a name is an SPDX id or a family of ids, whatever its case."""
    return name.casefold() in _IDS or name.casefold() in _FAMILIES


def is_open(stated: str) -> bool:
    """Whether a licence lets everybody use, change and pass on; False where it is not recognised."""
    return holds(stated, lambda name: name in OPEN)


def holds(stated: str, test: Callable[[str], bool]) -> bool:
    """Whether a licence, or an SPDX expression of several, passes: of OR one side has to, of AND both.

    Args:
        stated: as somebody wrote it.
        test: told an SPDX id; what is not recognised never passes.
    """
    text = EXCEPTION.sub("", stated).strip()
    name = spdx_of(text)
    if name:
        return test(name)
    parts = [part.strip() for part in OPERATORS.split(text) if part.strip()]
    if len(parts) < 3 or text.count("(") > MOST_NESTED:
        return False
    passed = _either(parts, test)
    return passed and not parts


def shown(stated: str) -> str:
    """A licence by its SPDX id where it is recognised, as it was stated otherwise."""
    return spdx_of(stated) or stated


def _either(parts: list[str], test: Callable[[str], bool]) -> bool:
    """Reads an expression off the front of its parts; both sides are read, whatever the first says."""
    passed = _all(parts, test)
    while parts[:1] == ["OR"]:
        parts.pop(0)
        passed = _all(parts, test) or passed
    return passed


def _all(parts: list[str], test: Callable[[str], bool]) -> bool:
    passed = _one(parts, test)
    while parts[:1] == ["AND"]:
        parts.pop(0)
        passed = _one(parts, test) and passed
    return passed


def _one(parts: list[str], test: Callable[[str], bool]) -> bool:
    part = parts.pop(0) if parts else ""
    if part == "(":
        passed = _either(parts, test)
        return (parts.pop(0) if parts else "") == ")" and passed
    name = spdx_of(part)
    return bool(name) and test(name)


def _of_url(url: str) -> str:
    if match := CC_URL.search(url):
        return "CC0-1.0" if match["zero"] else _IDS.get(f"cc-{match['kind']}-{match['v']}", "")
    if PUBLIC_DOMAIN_URL.search(url):
        return "CC-PDDC"
    match = OTHER_URL.search(url)
    return _of_words(PREFIXES.get(match["who"] or "", "") + match["name"]) if match else ""


def _of_words(text: str) -> str:
    """The id of a licence whose case is folded; what says no more than that it is a licence is passed over."""
    if text in _IDS:
        return _IDS[text]
    for pattern, replacement in WORDS:
        text = re.sub(pattern, replacement, text)
    plain = re.sub(r"\.0(?=$|\+)", "", text)
    return _IDS.get(text) or SPELLINGS.get(text) or SPELLINGS.get(plain) or ""
