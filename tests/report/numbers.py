"""Numbers and rows of a report as a run could have left them, drawn from a fixed seed."""

from __future__ import annotations

import random
from dataclasses import replace

from fanno_core.lineage.explanation import (
    Asked,
    Check,
    Child,
    Explanation,
    Fate,
    Place,
    Response,
    Shown,
    Source,
    Written,
)
from fanno_core.report.numbers import (
    Bandit,
    BanditSeed,
    BanditStep,
    Diversity,
    FunnelPhase,
    Histogram,
    Iteration,
    Measures,
    Numbers,
    Overlap,
    PhaseCost,
    Quality,
    RejectedRow,
    Score,
    TagCell,
    TopicPoint,
    VerbObject,
)
from fanno_core.report.table import ReportRow, SourceDocument

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><!-- & {{ 7*7 }} \u202e\u2028 $name"
PROSE = (
    "the court reads a protein map of rivers when engines cool under morning light and farmers count "
    "seeds before markets open while children learn grammar from songs about distant ports"
)
WORDS = PROSE.split()
TASKS = (
    "natural-language-inference",
    "commonsense",
    "sentiment-analysis",
    "paraphrasing",
    "closed-book-qa",
    "structure-to-text",
    "summarisation",
    "translation",
    "implicit-reasoning",
    "text-categorisation",
    "mathematics",
    "code",
)
FORMS = ("imperative", "interrogative")
DIFFICULTIES = ("multi-step", "critical-thinking", "creative", "interdisciplinary")
VERBS = {"write": "story poem email list", "explain": "idea process term", "summarise": "text report", "find": "error"}


def histogram(rng: random.Random, low: float, high: float, bins: int = 20, rows: int = 1000) -> Histogram:
    """Counts with a hump somewhere between low and high."""
    step = (high - low) / bins
    peak = rng.uniform(0.25, 0.7) * bins
    weights = [2.718 ** (-(((i - peak) / (bins / 6)) ** 2)) for i in range(bins)]
    counts = tuple(round(rows * weight / sum(weights)) for weight in weights)
    return Histogram(tuple(round(low + step * i, 6) for i in range(bins + 1)), counts)


def score(rng: random.Random, high: float = 1.0) -> Score:
    """A score whose mean is that of its histogram."""
    bars = histogram(rng, 0.0, high)
    middles = [(a + b) / 2 for a, b in zip(bars.edges, bars.edges[1:], strict=False)]
    rows = sum(bars.counts)
    return Score(rows, sum(m * c for m, c in zip(middles, bars.counts, strict=True)) / rows, bars)


def full_numbers() -> Numbers:
    """Every part filled, with hostile text wherever text of documents can stand."""
    rng = random.Random(7)
    return Numbers(
        name="FANNO on web mix",
        digest="5f0c" * 16,
        teacher="vllm/mistralai/Mistral-7B-Instruct-v0.3@e0bc86c2",
        encoder="all-MiniLM-L6-v2 (OpenVINO, fp32)",
        preview=True,
        funnel=_funnel(),
        diversity=_diversity(rng),
        iterations=tuple(
            Iteration(i, 900 - 20 * i, 17 + 0.8 * i, 180 + 9 * i, 0.71 + 0.01 * i, 3.1 + 0.12 * i, 0.4 + 0.02 * i)
            for i in range(12)
        ),
        bandit=_bandit(rng),
        quality=_quality(rng),
        cost=(
            PhaseCost("verdicts", 26_700, 9_800_000, 6_400_000, 26_700, 412.2),
            PhaseCost("seeds", 960, 410_000, 380_000, 61_000, 98.4),
            PhaseCost("augment", 9_700, 7_900_000, 1_100_000, 612_000, 871.0),
            PhaseCost("responses", 9_900, 6_300_000, 2_000_000, 2_140_000, 1_640.5),
            PhaseCost("publish", 0, 0, 0, 0, 2.1),
        ),
        measures=(_measures(rng, "FANNO on web mix", 9_412), _measures(rng, "alpaca.json", 52_002)),
    )


def empty_numbers() -> Numbers:
    """A run that left as little as a run can leave."""
    none = Score(0, 0.0, Histogram((), ()))
    return Numbers(
        name="nothing",
        digest="0" * 64,
        teacher="extractive/1",
        encoder="hash/1",
        preview=False,
        funnel=(FunnelPhase("ingest", 0, 0, {}, {}),),
        diversity=Diversity((), 0, {}, 0.0, none, 0, none, (), ()),
        iterations=(),
        bandit=Bandit((), Histogram((), ()), ()),
        quality=Quality({}, 0, 0, none, none, {}, {}, {}, ()),
        cost=(),
    )


def rows(count: int, words: int = 160) -> list[ReportRow]:
    """Rows of real length, none like another; the first is hostile in every text.

    Args:
        count: how many.
        words: of a response, on average.
    """
    rng = random.Random(11)
    documents = [_document(rng, i) for i in range(max(count // 2, 1))]
    made = [_row(rng, i, documents, words) for i in range(count)]
    bad = replace(
        documents[0],
        id="bad" + documents[0].id[3:],
        source=HOSTILE,
        excerpt=HOSTILE,
        carried_id=HOSTILE,
        licence=HOSTILE,
    )
    made[0] = replace(made[0], instruction=HOSTILE, input=HOSTILE, output=HOSTILE, document=bad, flags=("script",))
    return made


def explanation(number: int, row_id: str = "", text: str = "") -> Explanation:
    """A rejected row, explained in full; the same number gives the same one.

    Args:
        number: of the row.
        row_id: its id, where it is another one's.
        text: what stands in place of every text; empty: prose.
    """
    rng = random.Random(number)
    name = row_id or f"{number:016x}"
    document, near, instruction, answer = (text or _text(rng, words) for words in (90, 80, 12, 40))
    shot = Shown(f"{number + 1:016x}", text or _text(rng, 9), text or "shelf-2/page.html")
    asked = Asked(name, text or "think_different@5f4e3d2c1b0a", "temperature=1", f"{document}\nAsk.", answer, "stop")
    verdict = replace(asked, prompt="instruction_privacy@0a1b2c3d4e5f", probability=rng.random(), note=text)
    return Explanation(
        id=name,
        kind="row",
        fate=Fate(False, "responses", "refusal", text or "mode rag"),
        document=Source(_id(rng), text or "shelf-1/page.html", document, personal_data=("email",)),
        screening=(Check("rules", "words", True, 90.0, "30 to 2000"),),
        place=Place(_id(rng), 12, 0, 3, 4),
        instruction=Written(name, instruction, text, 2, "", "", "imperative", "vllm", "temperature=1", asked.prompt),
        counterexamples=(shot,),
        filters=(
            Check("augment", "novelty", True, rng.random(), "cosine < 0.9"),
            Check("responses", "response", False),
        ),
        response=Response("rag", answer, 40, "temperature=0", ("link",)),
        retrieved=(Shown(_id(rng), near, text or "shelf-3/page.html"), Shown(_id(rng), document, "the same")),
        questions=(asked, verdict, replace(asked, text=f"{near}\n{document}\n{instruction}")),
        children=(Child(_id(rng), instruction, False, "augment", "not_novel"),),
        notes=(text,) if text else (),
    )


def _text(rng: random.Random, words: int) -> str:
    # A third are words of no dictionary, so that the text packs no better than prose does.
    odd = (f"{rng.choice('bcdfgklmnprstvz')}{rng.choice('aeiou')}{rng.randrange(36**3):x}" for _ in range(words))
    return " ".join(rng.choice(WORDS) if rng.random() < 0.67 else word for word in odd).capitalize() + "."


def _id(rng: random.Random) -> str:
    return f"{rng.getrandbits(64):016x}"


def _document(rng: random.Random, number: int) -> SourceDocument:
    return SourceDocument(
        id=_id(rng),
        source=f"shelf-{number % 37}/page-{number:05d}.html",
        location=f"segment {number % 9}",
        carried_id=f"doc-{number}",
        licence=("CC-BY-4.0", "")[number % 2],
        words=rng.randrange(60, 400),
        excerpt=_text(rng, 60),
        community=_id(rng),
        community_size=rng.randrange(1, 40),
        topic=number % 23,
        quality=rng.random(),
        advertisement=rng.random() / 5,
        privacy=rng.random() / 9,
    )


def _row(rng: random.Random, number: int, documents: list[SourceDocument], words: int) -> ReportRow:
    seed = number % 10 == 0
    return ReportRow(
        id=f"{number:016x}",
        instruction=_text(rng, rng.randrange(8, 34)),
        input=_text(rng, 30) if number % 7 == 0 else "",
        output=_text(rng, rng.randrange(words // 2, words * 3 // 2)),
        document=rng.choice(documents),
        iteration=0 if seed else 1 + number % 11,
        characteristic=rng.choice(DIFFICULTIES) if seed else "",
        task_type=rng.choice(TASKS) if seed else "",
        form=rng.choice(FORMS),
        counterexamples=() if seed else tuple(f"{rng.randrange(max(number, 1)):016x}" for _ in range(3)),
        instruction_prompt=("seed_instruction@0a1b2c3d4e5f" if seed else "think_different@5f4e3d2c1b0a"),
        response_prompt="response_rag_plus@aabbccddeeff",
        response_mode="rag+",
        retrieved=tuple(rng.sample(documents, min(4, len(documents)))),
        teacher="vllm/mistralai/Mistral-7B-Instruct-v0.3@e0bc86c2",
        instruction_sampling="temperature 1.0, top_p 0.95, at most 256 tokens",
        response_sampling="temperature 0.0, top_p 1.0, at most 1024 tokens",
        cut_tokens=0,
        private=rng.random() / 9,
        unsafe=rng.random() / 9,
        answerable=1 - rng.random() / 3,
        similarity=rng.random() * 0.7,
        output_tokens=rng.randrange(40, 400),
        phases="ingest@2 rules@1 verdicts@2 seeds@2 novelty@2 responses@3",
        flags=("link",) if number % 13 == 0 else (),
    )


def _funnel() -> tuple[FunnelPhase, ...]:
    def phase(name: str, candidates: int, **rejected: int) -> FunnelPhase:
        examples = {
            reason: tuple(RejectedRow(f"{i:016x}", "shelf-1/page.html", "0.41", HOSTILE) for i in range(min(count, 3)))
            for reason, count in rejected.items()
        }
        return FunnelPhase(name, candidates, candidates - sum(rejected.values()), rejected, examples)

    return (
        phase("ingest", 18_204, not_utf8=12),
        phase("rules", 18_192, too_short=2_410, wrong_language=1_288, boilerplate=640, repetition=211),
        phase("duplicates", 13_643, exact_duplicate=1_120, near_duplicate=2_033),
        phase("privacy", 10_490),
        phase("verdicts", 10_490, low_quality=961, advertisement=402),
        phase("communities", 9_127, not_representative=2_204),
        phase("queue", 6_923),
        phase("seeds", 960, names_document=31, not_answerable=64, too_short=12),
        phase("novelty", 853, not_novel=102),
        phase("augment", 9_700, not_novel=402, bare_echo=97, not_answerable=202),
        phase("responses", 9_750, refusal=201, cut_off=77, too_short=60),
        phase("publish", 9_412),
    )


def _diversity(rng: random.Random) -> Diversity:
    verbs = tuple(
        VerbObject(verb, noun, rng.randrange(12, 240)) for verb, nouns in VERBS.items() for noun in nouns.split()
    )
    more = tuple(
        VerbObject(f"{a}{b}", noun, rng.randrange(4, 60))
        for a in ("com", "des", "sug", "tran")
        for b in ("pare", "cribe", "gest", "slate")
        for noun in ("", "text", "sentence", HOSTILE[:30])
    )
    points = tuple(
        TopicPoint(f"{i:016x}", rng.gauss(i % 9, 0.5), rng.gauss((i * i) % 7, 0.5), _id(rng), i % 9, HOSTILE)
        for i in range(3_000)
    )
    tags = tuple(
        TagCell(task, form, difficulty, 10, rng.randrange(2, 10))
        for task in TASKS
        for form in FORMS
        for difficulty in DIFFICULTIES
    )
    distinct = {"1": 0.091, "2": 0.402, "3": 0.731, "4": 0.884}
    return Diversity(verbs + more, 8_120, distinct, 212.4, score(rng), 1_000, score(rng), points, tags)


def _bandit(rng: random.Random) -> Bandit:
    steps = tuple(BanditStep(i, 751 + 700 * i, min(120 * i, 751 + 700 * i), 0.55 + 0.02 * i) for i in range(1, 12))
    seeds = tuple(BanditSeed(f"{i:016x}", HOSTILE, 60 - i, 0.9 - i / 40) for i in range(10))
    return Bandit(steps, histogram(rng, 0, 40), seeds)


def _quality(rng: random.Random) -> Quality:
    return Quality(
        scores={name: score(rng) for name in ("answerable", "private", "unsafe", "document_quality", "ifd")},
        refusals=14,
        near_duplicates=3,
        repetition=score(rng),
        copied=score(rng),
        languages={"en": 9_390, "de": 22},
        personal_data={"email": 41, "phone": 7},
        flags={"link": 312, "script": 9},
        contamination=(
            Overlap("gsm8k_test.jsonl", 1_319, 2, 3, ("0000000000000003", "0000000000000004")),
            Overlap("mmlu.json", 14_042, 0, 0, ()),
        ),
    )


def _measures(rng: random.Random, name: str, count: int) -> Measures:
    return Measures(
        name=name,
        rows=count,
        instruction_words=histogram(rng, 0, 80, rows=count),
        output_words=histogram(rng, 0, 500, rows=count),
        distinct={"1": 0.091, "2": 0.402, "3": 0.731, "4": 0.884},
        vendi=212.4,
        self_rouge=0.31,
        nearest=0.62,
        near_duplicates=3,
        repetition=0.021,
        refusals=14,
        with_verb=count * 8 // 10,
        verbs=214,
    )
