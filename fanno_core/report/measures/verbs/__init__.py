"""What an instruction asks to do, and to what: its root verb and that verb's direct object.

Self-Instruct reads them off a parser's tree. No parser's weights can be fetched here, so they are found by rules over
the tags of TextBlob's lexicon: the first sentence that asks for something is taken, be it an imperative ("Write a
story"), a wish ("I want you to write", "Your task is to write"), a polite question ("Could you write") or a question
("What causes rain?"); the object is the head of the noun phrase after the verb. As in Self-Instruct, a question that
only asks what something is has no root verb. Of 42 instructions written before the rules were first run on them 37
(88%) were read as a person reads them, and after two faults were mended 40 (`tests/report/measures/asked.py`).

Source: Wang et al. 2023, Self-Instruct, figure 3.
"""

from fanno_core.report.measures.verbs.roots import root_of, verbs_of

__all__ = ["root_of", "verbs_of"]
