"""Every number of a report, as `OUT/report/report.json` holds them: what measures make, and all that the page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts between edges: `counts[i]` values lie in `[edges[i], edges[i + 1])`, the last bin holds its end, too.

    Bins are equally wide. The few lengths above the last edge are in the last bin, so that it is read as "and more".
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """One score over the rows that have it; of no rows the mean is 0 and every count."""

    rows: int
    mean: float
    histogram: Histogram


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A rejected row, as an example of its reason; the text is cut to 300 characters."""

    id: str
    source: str
    detail: str
    text: str


@dataclass(frozen=True, slots=True)
class FunnelPhase:
    """What one phase made of its candidates."""

    name: str
    candidates: int
    kept: int
    rejected: Mapping[str, int]
    examples: Mapping[str, tuple[RejectedRow, ...]]


@dataclass(frozen=True, slots=True)
class VerbObject:
    """How many instructions ask to do this (root verb) with that (direct object, or empty)."""

    verb: str
    object: str
    count: int


@dataclass(frozen=True, slots=True)
class TopicPoint:
    """An instruction on the map of topics."""

    id: str
    x: float
    y: float
    community: str
    topic: int
    instruction: str


@dataclass(frozen=True, slots=True)
class TagCell:
    """How often seeds were asked for with a combination of tags, and how many of its instructions are rows."""

    task_type: str
    form: str
    characteristic: str
    asked: int
    kept: int


@dataclass(frozen=True, slots=True)
class Diversity:
    """How different the instructions are from each other.

    Attributes:
        verb_objects: the 20 most frequent root verbs with their 4 most frequent objects (Self-Instruct, figure 3), and
            how often each stood without an object.
        with_verb: instructions in which a root verb was found.
        distinct: distinct n-grams over all n-grams, for n of 1 to 4 (distinct-n, Li et al. 2016).
        vendi: effective number of different instructions (Vendi score with the cosine kernel, Friedman & Dieng 2023).
        self_rouge: largest ROUGE-L F of each of a sample of instructions to any other of the sample.
        self_rouge_sample: instructions in that sample.
        nearest: cosine of each instruction to the nearest other one.
        topics: a sample of instructions in two dimensions.
        tags: what was asked for, and what came of it.
    """

    verb_objects: tuple[VerbObject, ...]
    with_verb: int
    distinct: Mapping[str, float]
    vendi: float
    self_rouge: Score
    self_rouge_sample: int
    nearest: Score
    topics: tuple[TopicPoint, ...]
    tags: tuple[TagCell, ...]


@dataclass(frozen=True, slots=True)
class Iteration:
    """Means over the rows of one iteration: 0 are the seeds, then the windows of augmentation.

    Attributes:
        iteration, rows: its number and its rows.
        instruction_words, output_tokens: lengths; those of responses in the teacher's tokens.
        quality: the teacher's probability that the instruction can be answered; None where nobody judged.
        complexity: verbs of the instruction, as a measure of how much it asks for at once.
        similarity: largest cosine to any instruction kept before; None where there was none.
    """

    iteration: int
    rows: int
    instruction_words: float
    output_tokens: float
    quality: float | None
    complexity: float
    similarity: float | None


@dataclass(frozen=True, slots=True)
class BanditSeed:
    """What the bandit knows of one seed at the end: how often it was shown, and its mean reward in [0, 1]."""

    id: str
    instruction: str
    shown: int
    reward: float


@dataclass(frozen=True, slots=True)
class BanditStep:
    """The bandit after one window: seeds known, seeds ever shown, and the mean reward of what this window showed."""

    iteration: int
    seeds: int
    shown: int
    reward: float


@dataclass(frozen=True, slots=True)
class Bandit:
    """How the bandit chose: a step for each window that showed seeds, how often each was shown, the 20 shown most."""

    steps: tuple[BanditStep, ...]
    shown: Histogram
    seeds: tuple[BanditSeed, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Rows that overlap with a benchmark file.

    Attributes:
        name: the file's name.
        items: texts in it.
        by_ngram, by_embedding: rows that share an n-gram with it, or lie too near to one of its texts.
        rows: ids of the rows that overlap in either way, at most 100.
    """

    name: str
    items: int
    by_ngram: int
    by_embedding: int
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """How good rows are, as far as it can be measured.

    Attributes:
        scores: by name: `answerable`, `private`, `unsafe` (verdicts on instructions), `document_quality`, and `ifd`
            where a scorer is set.
        refusals, near_duplicates: rows; near-duplicates at the cosine of `filters.novelty` or above.
        repetition: share of a response's 4-grams that repeat an earlier one.
        copied: share of a response's words that stand in a run of 8 or more copied from its own document.
        languages, personal_data, flags: rows by ISO 639-1 code (`und`: none can be told), by kind found, by flag.
        contamination: one for each benchmark file that the user named.
    """

    scores: Mapping[str, Score]
    refusals: int
    near_duplicates: int
    repetition: Score
    copied: Score
    languages: Mapping[str, int]
    personal_data: Mapping[str, int]
    flags: Mapping[str, int]
    contamination: tuple[Overlap, ...]


@dataclass(frozen=True, slots=True)
class PhaseCost:
    """What a phase asked of the teacher for this data set; cached tokens are among the prompts'.

    `seconds` are those of the last run; 0 where that reused work of an earlier one.
    """

    phase: str
    calls: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Measures:
    """What can be measured on any instruction file: the data set's own, and those of whatever it is held against."""

    name: str
    rows: int
    instruction_words: Histogram
    output_words: Histogram
    distinct: Mapping[str, float]
    vendi: float
    self_rouge: float
    nearest: float
    near_duplicates: int
    repetition: float
    refusals: int
    with_verb: int
    verbs: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """All of it. `measures[0]` are the data set's own; the others are what it is compared with."""

    name: str
    digest: str
    teacher: str
    encoder: str
    preview: bool
    funnel: tuple[FunnelPhase, ...]
    diversity: Diversity
    iterations: tuple[Iteration, ...]
    bandit: Bandit
    quality: Quality
    cost: tuple[PhaseCost, ...]
    measures: tuple[Measures, ...] = field(default=())
