from __future__ import annotations

from tasks.publish import told_of


def test_a_card_names_built_in_corpora_and_no_path_of_this_machine() -> None:
    assert told_of(["installed-docs"]) == ["installed-docs"]
    assert told_of(["/home/somebody/bees.txt", "./more", "installed-docs"]) == ["DOCUMENTS", "installed-docs"]
