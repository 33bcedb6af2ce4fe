"""Every setting, its default, its limits, its meaning and where its default was read.

Settings are frozen and refuse unknown keys. A field marked `bytes=False` cannot change a byte of the data
set (concurrency, for example), so it is left out of every fingerprint.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fanno_core.errors import BadSettings
from fanno_core.spdx import is_id_or_family

PUBLISHED = "FANNO's published code"
# A file of every setting has 4 kB.
MOST_BYTES = 2**20
LONGEST_NAME = 200
MISTRAL = "mistralai/Mistral-7B-Instruct-v0.3"


def _without_secrets(address: str) -> str:
    if set(address) & {"@", "?", "#"}:
        # Settings are kept in run.json and by Prefect. The address is not repeated.
        raise ValueError("an address may hold no user, password or query; teacher.api_key says where a key is")
    return address


Address = Annotated[str, AfterValidator(_without_secrets), Field(json_schema_extra={"pattern": "^[^@?#]*$"})]


class Section(BaseModel):
    """A frozen group of settings that refuses unknown keys."""

    # Numbers become strings where a string is meant: `--set publish.name=2024` needs no quotes.
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False)


class Ingest(Section):
    """Files to segments."""

    text_field: str = Field("", description="column or key that holds the text; empty: found by name")
    segment_chars: int = Field(2400, ge=200, le=100_000, description="longest segment, in characters")
    segment_min_chars: int = Field(
        350, ge=0, le=100_000, description="shorter paragraphs are joined up to this length, in characters"
    )


class Screen(Section):
    """Which segments stay."""

    min_words: int = Field(30, ge=1, description="shortest segment kept, in words")
    max_words: int = Field(2000, ge=1, description="longest segment kept, in words")
    languages: tuple[str, ...] = Field(("en",), description="ISO 639-1 codes kept; empty: every language")
    max_repetition: float = Field(
        0.3, ge=0, le=1, description="largest share of characters in repeated lines or repeated 5-grams"
    )
    max_boilerplate: float = Field(
        0.5, ge=0, le=1, description="largest share of lines that are menus, links, badges or legal notes"
    )
    min_letters: float = Field(0.6, ge=0, le=1, description="smallest share of letters among non-space characters")
    near_duplicate: float = Field(
        0.8, gt=0, le=1, description="Jaccard similarity of word 5-grams from which two segments are near-duplicates"
    )
    personal_data: Literal["reject", "mask", "ignore"] = Field(
        "mask",
        description="segments that hold e-mail addresses, telephone or card numbers and the like. reject: are dropped; "
        "mask: stay, with a placeholder for each; ignore: stay as they are",
    )
    require_licence: bool = Field(
        False,
        description="keep only documents whose licence is known and allowed, which is what --require-licence sets",
    )
    licences: tuple[str, ...] = Field(
        (),
        description="SPDX ids or families (CC-BY, BSD, GPL) that are allowed where a licence is required; empty: every "
        "one that is known",
    )
    min_quality: float = Field(0.5, ge=0, le=1, description="smallest probability of the quality verdict")
    max_advertisement: float = Field(0.5, ge=0, le=1, description="largest probability of the advertisement verdict")
    max_privacy: float = Field(0.5, ge=0, le=1, description="largest probability of the privacy verdict")
    prefer: Literal["longer", "shorter", "none"] = Field(
        "longer",
        description="which segments come first within a community and a topic, their length being a proxy of "
        "complexity. longer: long ones; shorter: short ones; none: whatever their length",
    )

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        if self.min_words > self.max_words:
            raise ValueError(f"min_words {self.min_words} is above max_words {self.max_words}")
        return self

    @field_validator("licences")
    @classmethod
    def _licences_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not is_id_or_family(name):
                raise ValueError(f"{name} is no SPDX id or family that is known here; write it as CC-BY-4.0 or CC-BY")
        return names


class Encoder(Section):
    """Texts to vectors."""

    model: str = Field(
        "all-MiniLM-L6-v2",
        description="sentence-transformers model by name or folder; the default comes inside a PyPI wheel",
    )
    revision: str = Field("", description="revision of a hub model; empty: the newest")
    runtime: Literal["auto", "openvino", "torch"] = Field(
        "auto",
        description="auto: OpenVINO where it is installed and the model is on the CPU, PyTorch otherwise; "
        "openvino: fp32 on the CPU; torch: PyTorch on the GPU, or else on the CPU",
    )
    max_tokens: int = Field(256, ge=8, description="texts are cut at this many tokens")


class Communities(Section):
    """Groups of near-equal segments, and topics."""

    partition: Literal["leiden", "fast"] = Field(
        "leiden",
        description="leiden: Leiden's partition of the neighbour graph; fast: sentence-transformers' community "
        "detection, as in " + PUBLISHED,
    )
    threshold: float = Field(0.7, ge=-1, le=1, description=f"smallest cosine of an edge; 0.7 in {PUBLISHED}")
    neighbours: int = Field(16, ge=1, le=1024, description="edges looked for from each segment (leiden)")
    quality: Literal["cpm", "rb"] = Field(
        "cpm", description="Leiden's quality function. cpm: constant Potts model; rb: Reichardt-Bornholdt modularity"
    )
    resolution: float = Field(0.3, gt=0, description="Leiden's resolution: larger means smaller communities")
    min_size: int = Field(
        1,
        ge=1,
        description=f"smaller communities are dropped; {PUBLISHED} has 2, which drops the most distinctive texts",
    )
    per_community: int = Field(1, ge=1, description=f"representatives kept of each community; 1 in {PUBLISHED}")
    topic_threshold: float = Field(0.4, ge=-1, le=1, description="smallest cosine of an edge for topics")
    topic_resolution: float = Field(1.0, gt=0, description="Leiden's resolution (RB) for topics")
    exact_below: int = Field(
        20_000,
        ge=0,
        description="up to this many segments FAISS searches exactly, and for responses up to ten times as many; "
        "above, through inverted lists",
    )


class Seeds(Section):
    """Instructions written from the tag pool."""

    documents: int = Field(10, ge=1, description=f"documents that seeds are written from; 10 in {PUBLISHED}")
    per_document: int = Field(
        96, ge=1, le=96, description=f"tag combinations per document; all 96 in {PUBLISHED}, fewer: a balanced sample"
    )
    max_tokens: int = Field(2048, ge=1, description=f"longest instruction; 2,048 in {PUBLISHED}")
    temperature: float = Field(0.0, ge=0, le=2, description=f"0, greedy, in {PUBLISHED}")
    top_p: float = Field(0.9, gt=0, le=1, description=f"0.9 in {PUBLISHED}")


class Filters(Section):
    """Which instructions stay, seeds and augmented alike."""

    hard: Literal["word", "legacy", "none"] = Field(
        "word",
        description="keyword rule. word: whole words that lean on a text which is not there; legacy: substrings, and "
        f"ASCII only, as in {PUBLISHED}; none: no rule",
    )
    max_private: float = Field(0.5, ge=0, le=1, description="largest probability of the privacy verdict")
    max_unsafe: float = Field(0.5, ge=0, le=1, description="largest probability of the harm verdict")
    min_answerable: float = Field(0.5, ge=0, le=1, description="smallest probability of the answerable verdict")
    judge: bool = Field(True, description="ask the teacher for the three verdicts")
    novelty: float = Field(
        0.9,
        ge=-1,
        le=1,
        description=f"instructions this close (cosine) to a kept one are dropped; 0.9 in {PUBLISHED}",
    )


class Augment(Section):
    """Think Different."""

    iterate: bool = Field(True, description="write further instructions from the remaining documents")
    selection: Literal["ucb", "random", "none"] = Field(
        "ucb", description="how counterexamples are chosen. ucb: by the bandit; random: by chance; none: none are shown"
    )
    bandit: Literal["default", "published", "ifd"] = Field(
        "default",
        description="what the bandit learns from. default: how answerable and how new a seed's children are; ifd: how "
        "hard it is to follow them (IFD by loss of the direct response, scored by ifd_model); published: the length of "
        f"its response, as in {PUBLISHED}",
    )
    ifd_model: str = Field(
        "", description="folder or hub name of the causal language model that scores children (bandit=ifd)"
    )
    weight: float = Field(
        0.3, ge=0, description="exploration weight of the default bandit; the published one uses 3 * sqrt 2"
    )
    top_share: float = Field(0.05, gt=0, le=1, description=f"share of seeds drawn from; 0.05 in {PUBLISHED}")
    shots: int = Field(3, ge=1, le=8, description=f"counterexamples a prompt; 3 in {PUBLISHED}")
    shot_words: int = Field(100, ge=1, description=f"words of a counterexample shown; 100 in {PUBLISHED}")
    window: int = Field(200, ge=1, description=f"documents an iteration; 200 in {PUBLISHED}")
    limit: int = Field(
        10_000, ge=0, description=f"no further window once there are more instructions than this; 1,000 in {PUBLISHED}"
    )
    max_tokens: int = Field(2048, ge=1, description=f"longest instruction; 2,048 in {PUBLISHED}")
    temperature: float = Field(0.0, ge=0, le=2, description=f"0, greedy, in {PUBLISHED}")
    top_p: float = Field(0.9, gt=0, le=1, description=f"0.9 in {PUBLISHED}")

    @model_validator(mode="after")
    def _has_what_scores(self) -> Self:
        if self.bandit == "ifd" and not self.ifd_model:
            raise ValueError("bandit=ifd needs ifd_model, a causal language model that scores")
        return self


class Responses(Section):
    """How instructions are answered."""

    mode: Literal["auto", "direct", "document", "rag", "rag+"] = Field(
        "auto",
        description="auto: direct, or rag+ for a teacher that knows nothing by itself; direct: from the instruction "
        "alone; document: with the instruction's document; rag: with retrieved documents; rag+: with both",
    )
    retrieve: int = Field(3, ge=1, le=64, description="documents retrieved")
    min_score: float = Field(0.3, ge=-1, le=1, description="smallest cosine of a retrieved document")
    own_document: bool = Field(False, description="rag: the instruction's own document may be retrieved")
    max_tokens: int = Field(2048, ge=1, description=f"longest response; 2,048 in {PUBLISHED}")
    temperature: float = Field(0.0, ge=0, le=2, description=f"0, greedy, in {PUBLISHED}")
    top_p: float = Field(0.9, gt=0, le=1, description=f"0.9 in {PUBLISHED}")
    max_repetition: float = Field(0.5, ge=0, le=1, description="largest share of repeated word 4-grams")
    max_copy: float = Field(
        0.8, ge=0, le=1, description="largest ROUGE-L-like overlap of the response with its instruction"
    )


class Decontaminate(Section):
    """Rows that stand in a benchmark are left out."""

    files: tuple[str, ...] = Field(
        (),
        description="files of benchmark texts (lines, JSON, CSV, Parquet) that no row may overlap, which is what "
        "--decontaminate sets; empty: nothing is compared",
    )
    field: str = Field("", description="column or key that holds a benchmark's text; empty: found by name")
    ngram: int = Field(
        13,
        ge=1,
        description="a row that shares a run of this many words with a benchmark text is left out; 13 in GPT-3 "
        "(Brown et al. 2020, appendix C)",
    )
    similarity: float = Field(
        0.9,
        gt=0,
        le=1,
        description="a row whose instruction is this near (cosine) to a benchmark text is left out; no value tells "
        "paraphrases from other questions on a subject (Yang et al. 2023): with the default encoder those reach 0.9",
    )


class Teacher(Section):
    """Who judges, asks and answers."""

    name: Literal["extractive", "transformers", "vllm", "openai"] = Field(
        "extractive",
        description="extractive: no weights, for previews; transformers: a local model; vllm: the same through vLLM "
        "in this process; openai: servers with OpenAI's API (vLLM, Ollama, llama.cpp, TGI, hosted), such as a pool's",
    )
    model: str = Field(
        "",
        description="folder or hub name of the model, or its name on the server; empty: the server's first, or for "
        f"vllm {MISTRAL}",
    )
    revision: str = Field(
        "",
        description="revision of a hub model, and of a tokenizer from the hub (openai); empty: the newest",
    )
    tokenizer: str = Field(
        "",
        description="folder or hub name of the model's tokenizer (openai): prompts are then cut by tokens, and a vLLM "
        "server is sent token ids; empty: the server's chat template, lengths estimated",
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field("auto", description="precision of the weights")
    context_tokens: int = Field(0, ge=0, description="longest prompt and answer together; 0: what the model has")
    min_choice_mass: float = Field(
        0.1,
        ge=0,
        le=1,
        description="a verdict is unreadable unless its two answers together have this probability",
    )
    batch: int = Field(16, ge=1, description="prompts a batch (transformers)", json_schema_extra={"bytes": False})
    endpoints: tuple[Address, ...] = Field(
        (),
        description="addresses of the servers (openai), such as http://127.0.0.1:8000/v1; empty: those of the pool "
        "whose worker runs the flow",
        json_schema_extra={"bytes": False},
    )
    api_key: str = Field(
        "OPENAI_API_KEY",
        # Names in capitals alone: some keys could be names in small letters.
        pattern=r"^(prefect:[a-z0-9-]+|[A-Z_][A-Z0-9_]*)?$",
        description="where the key is (openai), never the key itself: an environment variable, or prefect:NAME for a "
        "Prefect Secret block",
        json_schema_extra={"bytes": False},
    )
    licence: str = Field(
        "", description="licence of the model's weights; empty: what its card, its folder or the hub's cache declares"
    )
    open_only: bool = Field(
        False,
        description="refuse a teacher whose declared licence is not open, which is what --open-teachers-only sets",
        json_schema_extra={"bytes": False},
    )
    in_flight: int = Field(
        256,
        ge=1,
        le=4096,
        description="most requests that a process has on the way (openai)",
        json_schema_extra={"bytes": False},
    )
    timeout_s: float = Field(
        600, gt=0, description="longest wait for one answer, in seconds (openai)", json_schema_extra={"bytes": False}
    )
    tensor_parallel: int = Field(1, ge=1, description="GPUs that share one model (vllm)")
    memory_share: float = Field(
        0.9,
        gt=0,
        le=1,
        description="share of a GPU's memory for model and cache (vllm)",
        json_schema_extra={"bytes": False},
    )


class Method(Section):
    """Another system in the place of FANNO's phases."""

    name: str = Field(
        "fanno", description="which one, see `fanno methods`; this is what --method and --with set; empty: rows stay"
    )
    options: dict[str, Any] = Field({}, description="its own options, by name; this is what --option sets")
    given: tuple[str, ...] = Field(
        (),
        description="instruction files that it begins with: rows that a transforming method changes, or the pool of "
        "one that grows a pool, such as Self-Instruct's 175 tasks; empty: FANNO's seeds, with responses",
    )
    rows: int = Field(10_000, ge=1, description="no further lot once a generating method has this many rows")
    lot: int = Field(
        50, ge=1, le=10_000, description="documents of a lot, or prompts where a method reads no documents"
    )
    budget: int = Field(
        0,
        ge=0,
        description="most questions that a method puts to the teacher, those for its seeds among them, as bounds "
        "allow; 0: no limit. Screening of the documents is not counted",
    )


class Select(Section):
    """Which of the rows are published, by one selector after the other."""

    by: tuple[str, ...] = Field((), description="selectors in their order, see `fanno methods`; empty: every row stays")
    keep: tuple[str, ...] = Field(
        (),
        description="how much each of them keeps, in the same order: 10% (a share), 500 (rows), >=4.5 (a smallest "
        "score); left out: the selector's own",
    )
    options: dict[str, dict[str, Any]] = Field({}, description="options of the selectors, by selector and option")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.by)) < len(self.by):
            raise ValueError("by names a selector twice")
        if len(self.keep) > len(self.by):
            raise ValueError(f"keep has {len(self.keep)} values for {len(self.by)} selectors")
        if unknown := self.options.keys() - {*self.by}:
            raise ValueError(f"options are for {', '.join(sorted(unknown))}, which by does not name")
        return self


class Publish(Section):
    """The data set's files."""

    name: str = Field("fanno", pattern=r"^[\w-][\w.-]*$", description="name of the data set, as its card says")
    system: str = Field("", description="system message of the chat formats; empty: none")
    shard_rows: int = Field(50_000, ge=1, description="rows a Parquet file")


class Report(Section):
    """The report on a finished run: what is measured on a sample."""

    make: bool = Field(
        True,
        description="leave a report in OUT/report when the run ends; without it, `fanno report` makes one later",
        json_schema_extra={"bytes": False},
    )
    map_rows: int = Field(
        3000, ge=2, description="instructions on the map of topics", json_schema_extra={"bytes": False}
    )
    rouge_rows: int = Field(
        1000,
        ge=2,
        description="instructions whose self-ROUGE is measured, each with the others",
        json_schema_extra={"bytes": False},
    )
    explained_rows: int = Field(
        1000,
        ge=0,
        description="rows that the report explains in full, as `fanno explain` does, besides its rejected examples; "
        "the others name the command; 0: none, rejected ones neither",
        json_schema_extra={"bytes": False},
    )
    ifd_model: str = Field(
        "",
        description="folder or hub name of a causal language model that scores instruction-following difficulty (IFD); "
        "empty: not scored",
        json_schema_extra={"bytes": False},
    )
    ui_rows: int = Field(
        5,
        ge=0,
        le=50,
        description="rows that Prefect's UI shows, without response and only where the instruction quotes no document; "
        "0: none",
        json_schema_extra={"bytes": False},
    )


class Refresh(Section):
    """The nightly refresh: what is carried over, what it may cost, and what a new version has to be."""

    keep_versions: int = Field(
        7, ge=1, description="versions kept, the current one among them", json_schema_extra={"bytes": False}
    )
    max_drift: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share of documents that may have changed their community since the last full build, before "
        "another one is asked for",
        json_schema_extra={"bytes": False},
    )
    max_withdrawn_context: float = Field(
        0.0,
        ge=0,
        le=1,
        description="a row goes when more than this share of its retrieved documents is withdrawn",
        json_schema_extra={"bytes": False},
    )
    strict: bool = Field(
        False,
        description="a withdrawn document also takes the rows that were shown an instruction of it as counterexample",
        json_schema_extra={"bytes": False},
    )
    max_calls: int = Field(
        0, ge=0, description="most calls of the teacher a night; 0: no limit", json_schema_extra={"bytes": False}
    )
    max_tokens: int = Field(
        0, ge=0, description="most tokens, read and written, a night; 0: no limit", json_schema_extra={"bytes": False}
    )
    max_seconds: float = Field(
        0,
        ge=0,
        description="seconds after which no further work is begun; 0: no limit",
        json_schema_extra={"bytes": False},
    )
    min_rows: int = Field(
        1, ge=0, description="a version with fewer rows is held back", json_schema_extra={"bytes": False}
    )
    min_acceptance: float = Field(
        0.0,
        ge=0,
        le=1,
        description="a version is held back whose instructions became rows in a smaller share",
        json_schema_extra={"bytes": False},
    )
    max_near_duplicates: float = Field(
        1.0,
        ge=0,
        le=1,
        description="a version is held back in which a larger share of instructions is this near (filters.novelty) to "
        "another",
        json_schema_extra={"bytes": False},
    )
    min_diversity: float = Field(
        0.0,
        ge=0,
        le=1,
        description="a version is held back whose instructions have a smaller share of distinct 2-grams (distinct-2)",
        json_schema_extra={"bytes": False},
    )
    max_shrink: float = Field(
        0.5,
        ge=0,
        le=1,
        description="a version is held back that lost a larger share of the current version's rows",
        json_schema_extra={"bytes": False},
    )
    report: Literal["held", "always", "never"] = Field(
        "held",
        description="which versions get a report. held: those that are held back; always: each; never: none",
        json_schema_extra={"bytes": False},
    )


class Run(Section):
    """How the run is done."""

    seed: int = Field(42, ge=0, lt=2**31, description=f"seed of every random choice; 42 in {PUBLISHED}")
    shard_rows: int = Field(512, ge=1, description="rows a task works on", json_schema_extra={"bytes": False})
    concurrency: int = Field(
        2, ge=1, le=256, description="tasks that run at the same time", json_schema_extra={"bytes": False}
    )
    runner: Literal["threads", "dask", "ray"] = Field(
        "threads",
        description="Prefect task runner that the phases' tasks go to. threads: of this process; dask: a Dask "
        "cluster's workers; ray: a Ray cluster's workers",
        json_schema_extra={"bytes": False},
    )
    cluster: str = Field(
        "",
        description="address of a Dask scheduler or Ray cluster; empty: one on this machine, of `concurrency` workers",
        json_schema_extra={"bytes": False},
    )
    journal: str = Field(
        "",
        description="file with the teacher's answers that several runs share, for an --out on the disk; empty: each "
        "--out has its own",
        json_schema_extra={"bytes": False},
    )


class Settings(Section):
    """All settings of a run."""

    ingest: Ingest = Ingest()
    screen: Screen = Screen()
    encoder: Encoder = Encoder()
    communities: Communities = Communities()
    seeds: Seeds = Seeds()
    filters: Filters = Filters()
    augment: Augment = Augment()
    responses: Responses = Responses()
    decontaminate: Decontaminate = Decontaminate()
    teacher: Teacher = Teacher()
    method: Method = Method()
    select: Select = Select()
    publish: Publish = Publish()
    report: Report = Report()
    refresh: Refresh = Refresh()
    run: Run = Run()


def load_settings(file: Path | None = None, assignments: Iterable[str] = ()) -> Settings:
    """Settings from a TOML file, with `section.key=value` assignments on top.

    A value is read as TOML where that works and as a plain string otherwise, so `--set teacher.name=extractive`
    needs no quotes.

    Raises:
        BadSettings: the file cannot be read, or a key or value is refused; the message names it.
    """
    values = _read_toml(file) if file else {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        section, dot, key = name.strip().partition(".")
        if not (equals and section and dot and key):
            raise BadSettings(f"--set {assignment!r}: write it as section.key=value, such as seeds.documents=20")
        group = values.setdefault(section, {})
        if not isinstance(group, dict):
            raise BadSettings(f"--set {assignment!r}: {section} is not a section of settings")
        group[key] = _toml_value(text.strip())
    return make_settings(values)


def make_settings(values: Mapping[str, Any]) -> Settings:
    """Settings from nested values, with one sentence for whatever is refused.

    Raises:
        BadSettings: a key is unknown, or a value has the wrong type or is out of range.
    """
    _refuse_look_alikes(values)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = _on_one_line(".".join(str(part) for part in first["loc"]))
        if first["type"] == "extra_forbidden":
            raise BadSettings(f"there is no setting {name}; `fanno settings` lists them all") from None
        raise BadSettings(f"setting {name}: {first['msg']}") from None


def bytes_of(settings: Settings, names: Iterable[str]) -> dict[str, Any]:
    """The values of these settings, as far as they can change bytes.

    Args:
        settings: all settings.
        names: `section` for all of a section, `section.key`, or `section.key.part` of a key that holds a table.
    """
    values: dict[str, Any] = {}
    for name in names:
        section, _, path = name.partition(".")
        key, _, part = path.partition(".")
        group: Section = getattr(settings, section)
        for field, value in group.model_dump(mode="json").items():
            if key in ("", field) and not _is_free(type(group), field):
                values[f"{section}.{path or field}"] = value.get(part) if part else value
    return values


def _is_free(section: type[Section], name: str) -> bool:
    extra = section.model_fields[name].json_schema_extra
    return isinstance(extra, dict) and extra.get("bytes") is False


def _refuse_look_alikes(values: Mapping[str, Any]) -> None:
    """Pydantic takes true for the number 1, and words and numbers for truths and for each other."""
    for section, group in values.items():
        for key, value in group.items() if isinstance(group, Mapping) else ():
            field = Settings.model_fields.get(section)
            wanted, given = _kind(getattr(field.default, key, None) if field else None), _kind(value)
            if wanted != given and (wanted in PLAIN or (given == "true or false" and wanted != "unknown")):
                raise BadSettings(f"setting {section}.{key}: it has to be {wanted}, not {given}")


PLAIN = {"true or false", "a number"}


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "unknown" if value is None else "a text" if isinstance(value, str) else "a list or table"


def _on_one_line(name: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in name)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[:LONGEST_NAME]}..."


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        if not file.is_file():
            raise BadSettings(f"settings file {file}: it is not there, or is no plain file; correct the path")
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise BadSettings(f"settings file {file}: larger than {MOST_BYTES:,} bytes; name a file of settings")
        text = data.decode("utf-8-sig")
        return tomllib.loads(text)
    except OSError as error:
        raise BadSettings(f"settings file {file}: {error.strerror}") from None
    except RecursionError:
        raise BadSettings(f"settings file {file}: nested too deeply; write sections of plain values") from None
    except UnicodeDecodeError as error:
        raise BadSettings(f"settings file {file}: {error.reason}; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"settings file {file}: {_on_one_line(str(error))}{_key_at(str(error), text)}") from None


def _key_at(message: str, text: str) -> str:
    """The key on the line that a message of tomllib speaks of, which does not name keys that stand twice."""
    found = re.search(r"at line (\d+)", message)
    lines = text.rstrip().split("\n")
    key, equals, _ = lines[min(int(found[1]) if found else len(lines), len(lines)) - 1].partition("=")
    return f", in the setting {_on_one_line(key.strip())}" if equals else ""


def _toml_value(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    # A line feed in the text would end the value and start another key, which nobody would read.
    return parsed["value"] if len(parsed) == 1 else text
