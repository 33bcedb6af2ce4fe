from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.spdx import NOT_OPEN, OPEN, family_of, holds, is_id_or_family, is_open, shown, spdx_of

SPELT = {
    "MIT": ("MIT License", "mit", "The MIT License (MIT)", "License :: OSI Approved :: MIT License", "Expat",
            "https://opensource.org/licenses/MIT", "https://spdx.org/licenses/MIT.html"),
    "Apache-2.0": ("Apache 2.0", "Apache-2", "apache", "Apache License, Version 2.0", "Apache Software License",
                   "Apache License (2.0)", "https://www.apache.org/licenses/LICENSE-2.0", "Apache-2.0 "),
    "BSD-3-Clause": ("BSD", "BSD License", "New BSD License", "3-Clause BSD License", "BSD 3-Clause", "bsd-3-clause"),
    "CC-BY-4.0": ("CC BY 4.0", "cc-by-4.0", "Creative Commons Attribution 4.0 International",
                  "https://creativecommons.org/licenses/by/4.0/", "http://creativecommons.org/licenses/by/4.0/legalcode"),
    "CC-BY-SA-3.0": ("CC BY-SA 3.0", "cc-by-sa-3.0", "Creative Commons Attribution-ShareAlike 3.0 Unported"),
    "CC-BY-NC-SA-4.0": ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0", "cc by nc sa 4.0"),
    "CC0-1.0": ("CC0", "CC0 1.0 Universal", "Creative Commons Zero v1.0 Universal",
                "http://creativecommons.org/publicdomain/zero/1.0/"),
    "GPL-3.0-only": ("GPLv3", "GPL-3.0", "GNU General Public License v3 (GPLv3)",
                     "https://www.gnu.org/licenses/gpl-3.0.html"),
    "GPL-2.0-or-later": ("GPLv2+", "GPL-2.0+", "GNU General Public License v2 or later (GPLv2+)"),
    "LGPL-2.1-only": ("GNU Lesser General Public License v2.1", "LGPLv2.1"),
    "MPL-2.0": ("Mozilla Public License 2.0 (MPL 2.0)", "MPL 2.0", "https://www.mozilla.org/en-US/MPL/2.0/"),
    "CC-PDDC": ("Public Domain", "public-domain", "https://creativecommons.org/publicdomain/mark/1.0/"),
    "ODC-By-1.0": ("odc-by",),
    "PSF-2.0": ("Python Software Foundation License", "PSFL"),
    "Llama-3.1": ("llama3.1", "Llama 3.1 Community License"),
    "": ("", "other", "unknown", "proprietary", "All rights reserved", "see LICENSE", "MIT-ish", "CC", "none", "free",
         "https://example.com/licenses/mit", "not MIT", "Dual License", "CC-BY-9.9", "( ) (MIT"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "spelt"), [(name, spelt) for name, all_of in SPELT.items() for spelt in all_of])
def test_usual_spellings_are_recognised_and_nothing_else(name: str, spelt: str) -> None:
    assert spdx_of(spelt) == name


@pytest.mark.parametrize("name", [*OPEN, *NOT_OPEN])
def test_every_id_is_itself_in_any_case(name: str) -> None:
    assert spdx_of(name) == spdx_of(name.upper()) == spdx_of(name.lower()) == name
    assert is_open(name) == (name in OPEN)
    assert is_id_or_family(name)
    assert is_id_or_family(family_of(name))


@pytest.mark.parametrize(
    ("name", "family"),
    [("CC-BY-SA-4.0", "CC-BY-SA"), ("GPL-2.0-only", "GPL"), ("BSD-3-Clause", "BSD"), ("MIT", "MIT"), ("0BSD", "0BSD")],
)
def test_a_family_is_an_id_without_its_version(name: str, family: str) -> None:
    assert family_of(name) == family


@pytest.mark.parametrize(
    ("expression", "passes"),
    [
        ("MIT OR Proprietary", True),
        ("MIT AND Proprietary", False),
        ("MIT AND Apache-2.0 OR Proprietary", True),
        ("Proprietary OR MIT AND Other", False),
        ("(MIT OR Proprietary) AND Apache-2.0", True),
        ("(MIT OR Proprietary) AND Other", False),
        ("((MIT) OR Other) AND (ISC)", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-only WITH Classpath-exception-2.0 OR MIT", True),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", True),
        ("MIT OR", False),
        ("OR MIT", False),
        ("(MIT OR Apache-2.0", False),
        ("MIT OR Apache-2.0)", False),
        ("Proprietary OR Apache-2.0 ISC", False),
        ("(" * 5000 + "MIT OR ISC" + ")" * 5000, False),
    ],
)
def test_expressions_are_read_and_broken_ones_are_not_believed(expression: str, passes: bool) -> None:
    assert holds(expression, bool) is passes


@given(st.text("MITORANDCBYSA0-4.()/ :WH\x01\x02", max_size=60))
def test_any_text_is_read_or_not_and_what_is_not_recognised_never_passes(text: str) -> None:
    assert spdx_of(text) in {"", *OPEN, *NOT_OPEN}
    assert not holds(text, lambda _: False)
    assert shown(text) in {text, spdx_of(text)}
