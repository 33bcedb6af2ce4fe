"""Where a text holds personal data or secrets, and what happens to such segments.

Covered: e-mail addresses, telephone and card numbers, IBANs, US social security numbers, public IP addresses, API
keys. Not covered: names, postal addresses, national numbers of other countries.

What is shaped like personal data counts as such even where the domain (example.com) or the number (555-0100) is set
aside for examples: synthetic people carry those too, and a tag in its place harms no text. Internet addresses that
point to no machine of a person (private, loopback, documentation, multicast) do not count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import pairwise
from math import log2

from phonenumbers import Leniency, PhoneNumberMatcher
from stdnum import iban, luhn
from stdnum.us import ssn

from fanno_core.outcome import Outcome
from fanno_core.settings import Screen
from fanno_core.store.contracts import Document, Rejection
from fanno_core.text import words_of

Span = tuple[int, int]

EMAIL = re.compile(
    r"(?<![\w.%+-])(?P<name>[\w%+-][\w.%+-]{0,63})@(?:\w[\w-]{0,62}\.){1,8}"
    r"(?P<end>[^\W\d_]{2,24}|xn--[\w-]{2,59})(?![\w-])"
)
EMAIL_SPELT = re.compile(
    r"(?<![\w.%+-])[\w%+-][\w.%+-]{0,63}"
    r"(?:(?:\s?[\[({<]\s?(?:at|@)\s?[\])}>]\s?|\s@\s)"
    r"(?:\w[\w-]{0,62}(?:\.|\s?[\[({<]\s?(?:dot|\.)\s?[\])}>]\s?|\sdot\s)){1,8}"
    r"|\sat\s(?:\w[\w-]{0,62}\sdot\s){1,8})"
    r"[^\W\d_]{2,24}(?![\w-])",
    re.I,
)
FILE_ENDINGS = frozenset(
    {"css", "gif", "html", "ico", "jpeg", "jpg", "js", "json", "md", "pdf", "png", "py", "rs", "svg", "ts", "webp"}
)

DIGITS_OF_A_PHONE = re.compile(r"\d(?:[\s().\-/\u2010-\u2015]{0,4}\d){6}")
NATIONAL_PHONES = re.compile(
    r"(?<![\w.+-])(?:"
    r"(?:(?:\+|00)?1[ .-]{0,3})?(?:\(\d{3}\) ?(?:- ?)?|\d{3} ?[.-] ?)\d{3} ?[.-] ?\d{4}(?: ?(?:x|ext\.?) ?\d{1,6})?"
    r"|(?=(?:[() -]{0,2}\d){10,11}(?!\d))(?:\(0[1-378]\d{1,3}\) ?|0[1-378]\d{1,3}[ -])\d{3,4}[ -]?\d{3,4}"
    r"|01[567]\d{1,2}[ /-]{1,3}\d{7,8}|0[67](?P<pair>[ .-])\d\d(?:(?P=pair)\d\d){3})(?![\w-])",
    re.I,
)
"""Shapes of North America and the United Kingdom that are telephone numbers even where nobody has that number, and
those of German and French mobiles."""

PHONE_CUE = re.compile(
    r"(?<!<)\b(?:tel(?:ephone)?|phones?|call(?:ing)?|fax|mobile|cell|whatsapp|sms|dial|ring|reach|text)\b[^\d\n]{0,20}$",
    re.I,
)
NUMBER_BEFORE = re.compile(r"\d[ ,;|\t]{1,4}$")
NUMBER_AFTER = re.compile(r"[ ,;|\t]{1,4}\d")
ISBN_CUE = re.compile(r"\bISBN(?:-1[03])?[^\d\n]{0,12}$", re.I)

CARD = re.compile(
    r"(?<![\w.-])(?:(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6(?:011|4[4-9]\d|[25]\d\d)|35\d\d|50\d\d|5[6-8]\d\d)"
    r"(?P<a>[ .\u00a0-]?)\d{4}(?P=a)\d{4}(?P=a)\d{4}"
    r"|3[47]\d\d(?P<b>[ .\u00a0-]?)\d{6}(?P=b)\d{5}"
    r"|3(?:0[0-5]|[689]\d)\d(?P<c>[ .\u00a0-]?)\d{6}(?P=c)\d{4})(?![\w-]|\.\d)"
)
IBAN = re.compile(r"(?<![\w-])[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]){11,30}", re.I)
SSN = re.compile(r"(?<![\w.-])\d{3}(?P<gap>[ .\u2010-\u2013-]?)\d{2}(?P=gap)\d{4}(?![\w-]|\.\d)")
SSN_CUE = re.compile(r"(?:\bSSN|\bsocial security|\bsoc\.? sec)[^\n]{0,25}$", re.I)

IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)")
IPV6 = re.compile(r"(?<![\w:.])[23][0-9a-f]{3}:(?:[0-9a-f]{0,4}:){1,6}[0-9a-f]{0,4}(?![\w:])", re.I)
VERSION_CUE = re.compile(
    r"(?:[a-z]-|[a-z]/|\b(?:v|ver|versions?|releases?|build|firmware|kernel|driver|section|chapter|clause|figure|table)"
    r"[\s.:#=\"']{0,3}|§ ?)$",
    re.I,
)

KEY_SHAPES = re.compile(
    r"-----BEGIN (?:[A-Z]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:[^-]|-(?!----))++-----END [A-Z ]{0,40}-----|(?:\s+[A-Za-z0-9+/=]{16,80})+)"  # whole, or cut off
    r"|(?<![\w-])(?:"
    r"(?:AKIA|ASIA)[0-9A-Z]{16}"  # Amazon
    r"|gh[pousr]_\w{30,255}|github_pat_\w{22,255}|glpat-[\w-]{20,64}"
    r"|sk-(?=[\w-]{0,60}\d)[\w-]{20,200}"  # OpenAI, Anthropic
    r"|AIza[\w-]{35}|GOCSPX-[\w-]{20,40}|ya29\.[\w-]{20,300}"  # Google
    r"|xox[abeoprs]-[\w-]{10,250}|xapp-[\w-]{10,250}"  # Slack
    r"|(?:[sr]k|whsec)_(?:(?:live|test)_)?(?=\w{0,40}\d)[0-9A-Za-z]{16,250}"  # Stripe
    r"|npm_\w{36}|pypi-AgEI[\w-]{20,300}|hf_[A-Za-z]{30,60}|hf_(?=\w{0,40}\d)\w{30,60}"
    r"|SG\.[\w-]{16,32}\.[\w-]{16,64}|(?:SK|AC)[0-9a-f]{32}|do[opr]_v1_[0-9a-f]{64}|\d{8,10}:AA[\w-]{33}"
    r"|eyJ[\w-]{8,4000}\.eyJ[\w-]{8,8000}\.[\w-]{8,2000}"  # JSON web tokens
    r")(?![\w-])"
    r"|https://hooks\.slack\.com/services/[\w/]{20,100}"
)
KEY_ASSIGNED = re.compile(
    r"(?:key|token|secret|passwd|password|pwd|credential)s?(?:[_-]?(?:id|value))?[\"'`\])*]{0,3}"
    r"(?:\s{0,3}(?::=|=>|==?|:)\s{0,3}|\sis:?\s|\s(?=[\"'`]))[\"'`<*]{0,3}(?P<value>[\w+/~-]{16,200}={0,2})"
    r"|\b(?:bearer|authorization[\"']?:\s[\"']?(?:token|basic))\s(?P<bearer>[\w+/.~-]{16,2000}={0,2})"
    # A password within an address, with the host: it would pass for an e-mail address.
    r"|://(?P<login>[\w.+-]{0,64}:(?P<password>[^\s:/@]{8,200})@[\w.-]{0,200})",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data in a text: its kind and where it stands, `text[start:end]`."""

    kind: str
    start: int
    end: int


def find_personal_data(text: str) -> list[Finding]:
    """What a text holds of personal data, in order and without overlaps; of two that overlap the longer stays."""
    found = [Finding(kind, start, end) for kind, finder in FINDERS.items() for start, end in finder(text)]
    found.sort(key=lambda finding: (finding.start - finding.end, finding.start))
    taken = bytearray(len(text))
    alone = []
    for finding in found:
        place = slice(finding.start, finding.end)
        if not any(taken[place]):
            taken[place] = b"\1" * (finding.end - finding.start)
            alone.append(finding)
    return sorted(alone, key=lambda finding: finding.start)


def mask(text: str, findings: Sequence[Finding]) -> str:
    """The text with each finding replaced by its kind in angle brackets; findings in order, without overlaps."""
    pieces, end = [], 0
    for finding in findings:
        pieces += [text[end : finding.start], f"<{finding.kind}>"]
        end = finding.end
    return "".join([*pieces, text[end:]])


def without_personal_data(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with all that can be found masked, and the kinds found, sorted."""
    kinds: set[str] = set()
    # A tag parts what was glued together, so that one look may leave something for the next.
    while findings := find_personal_data(text):
        kinds.update(finding.kind for finding in findings)
        text = mask(text, findings)
    return text, tuple(sorted(kinds))


def treat_personal_data(documents: Sequence[Document], settings: Screen) -> Outcome[Document]:
    """The documents without personal data, in their order: rejected, masked or left, as `settings.personal_data` says.

    A masked document keeps its id and names the kinds found; its words are counted anew. A rejected one
    (`personal_data`) names the kinds too, and its text is masked, so that the rejects hold none either.
    """
    if settings.personal_data == "ignore":
        return Outcome(documents, [], candidates=len(documents))
    kept, rejected = [], []
    for document in documents:
        text, kinds = without_personal_data(document.text)
        if not kinds:
            kept.append(document)
        elif settings.personal_data == "mask":
            kept.append(replace(document, text=text, words=len(words_of(text)), personal_data=kinds))
        else:
            rejected.append(
                Rejection(document.id, "privacy", "personal_data", ", ".join(kinds), document.id, document.source, text)
            )
    return Outcome(kept, rejected, candidates=len(documents))


def mask_rejected(outcome: Outcome[Document], settings: Screen) -> Outcome[Document]:
    """The outcome of a phase that comes before this one, the texts of its rejected rows without personal data.

    They are written down for people to read, and no later phase sees them.
    """
    if settings.personal_data == "ignore":
        return outcome
    masked = [replace(row, text=without_personal_data(row.text)[0]) for row in outcome.rejected]
    return replace(outcome, rejected=masked)


def _emails(text: str) -> Iterator[Span]:
    if "@" in text:
        for match in EMAIL.finditer(text):
            # git@host is how a repository is addressed, logo@2x.png how an image is named.
            if match["name"].lower() != "git" and match["end"].lower() not in FILE_ENDINGS:
                yield match.span()
    for match in EMAIL_SPELT.finditer(text):
        yield match.span()


def _phones(text: str) -> Iterator[Span]:
    """International numbers of any country; national ones of North America and the United Kingdom, and some mobiles.

    The matcher gives up on a text after 65,535 numbers that are no telephone's.
    """
    if not DIGITS_OF_A_PHONE.search(text):
        return
    spans = [match.span() for match in NATIONAL_PHONES.finditer(text)]
    for region, leniency in ((None, Leniency.POSSIBLE), ("US", Leniency.VALID), ("GB", Leniency.VALID)):
        spans += [(match.start, match.end) for match in PhoneNumberMatcher(text, region, leniency=leniency)]
    yield from (span for span in spans if _reads_as_phone(text, *span))


def _reads_as_phone(text: str, start: int, end: int) -> bool:
    """False for machines, and for the numbers of tables, books and orders that happen to be someone's number."""
    raw, before = text[start:end], text[max(0, start - 40) : start]
    if ISBN_CUE.search(before) or IPV4.search(raw):
        return False
    if raw.startswith(("+", "00", "(")) or PHONE_CUE.search(before):
        return True
    if raw.isdigit():
        return raw.startswith("07")  # a British mobile; hardly any other number is written with a zero before it
    in_a_row = NUMBER_BEFORE.search(before) or NUMBER_AFTER.match(text, end)
    return not (in_a_row and raw.replace(" ", "").isdigit())


def _cards(text: str) -> Iterator[Span]:
    for match in CARD.finditer(text):
        if luhn.is_valid(re.sub(r"\D", "", match.group())):
            yield match.span()


def _ibans(text: str) -> Iterator[Span]:
    """Each IBAN without the words after it: the longest beginning of the match that ends a word and adds up."""
    for match in IBAN.finditer(text):
        start, end = match.span()
        while end - start >= 15:
            if not text[end : end + 1].isalnum() and iban.is_valid(text[start:end].replace("\u00a0", "")):
                yield start, end
                break
            end -= 1


def _ssns(text: str) -> Iterator[Span]:
    for match in SSN.finditer(text):
        hyphens = match["gap"] not in ("", " ", ".")
        cued = SSN_CUE.search(text[max(0, match.start() - 50) : match.start()])
        if (hyphens or cued) and ssn.is_valid(re.sub(r"\D", "", match.group())):
            yield match.span()


def _ip_addresses(text: str) -> Iterator[Span]:
    for match in IPV4.finditer(text):
        before = text[max(0, match.start() - 16) : match.start()]
        # 1.2.3.4 is a section or a version far more often than a machine.
        numbered = max(map(len, match.group().split("."))) == 1 or VERSION_CUE.search(before)
        if not numbered and _is_public(match.group()):
            yield match.span()
    for match in IPV6.finditer(text):
        if _is_public(match.group()):
            yield match.span()


def _is_public(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return parsed.is_global and not parsed.is_multicast


def _api_keys(text: str) -> Iterator[Span]:
    for match in KEY_SHAPES.finditer(text):
        yield match.span()
    for match in KEY_ASSIGNED.finditer(text):
        group = next(name for name in ("value", "bearer", "login") if match[name])
        if _looks_random(match["password"] or match[group]):
            yield match.span(group)


def _looks_random(value: str) -> bool:
    """True for letters and digits in a jumble: 3 bits a character, and the kind of character changes often.

    Identifiers fail, since their digits and capitals come a few at a time (`sha256_of_file`, `getUserById2`).
    """
    core = re.sub(r"[\W_]", "", value)
    if not (re.search(r"\d", core) and re.search(r"[A-Za-z]", core)):
        return False
    bits = -sum(n / len(core) * log2(n / len(core)) for n in Counter(core).values())
    changes = sum(_kind(a) != _kind(b) and not (a.isupper() and b.islower()) for a, b in pairwise(core))
    return bits >= 3 and changes / (len(core) - 1) >= 0.25


def _kind(character: str) -> str:
    return "digit" if character.isdigit() else "upper" if character.isupper() else "lower"


FINDERS: dict[str, Callable[[str], Iterator[Span]]] = {
    "api_key": _api_keys,
    "iban": _ibans,
    "card": _cards,
    "ssn": _ssns,
    "email": _emails,
    "ip_address": _ip_addresses,
    "phone": _phones,
}
"""Of two findings of the same length and place the kind named first stays."""
