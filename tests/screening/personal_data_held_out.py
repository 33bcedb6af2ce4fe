"""Personal data as letters, logs, tables and source files carry it, written down before any of it was tried.

Other formats, other countries and other carriers than those of `personal_data_examples`, on which the patterns were
tuned. Where a format has words around the data, bars mark what is personal.
"""

from __future__ import annotations

import base64
import hashlib
import string
from collections.abc import Callable, Iterator
from random import Random

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"

CARRIERS = (
    "Hi Tom,\n\nas agreed: {}\n\nBest regards\nAnna",
    "2021-03-04 11:22:33,123 INFO worker[4711]: got {} from the form",
    "id;name;value;note\n17;Miller;{};checked 12/05/2020",
    "<p>Her entry reads <b>{}</b> since May.</p>",
    "settings:\n  owner: {}\n  retries: 3\n",
    "We asked for it twice ({}), and in 1998 nobody answered.",
    "| 12 | {} | 30.5 kg |",
    "print('{}')  # example from ticket 8812",
    "{}, and nothing else, was written on the back of photo 23.",
    "Q: What did she send? A: {}!",
)


def _digits(random: Random, count: int) -> str:
    return "".join(random.choices(string.digits, k=count))


def _chars(random: Random, count: int, alphabet: str = LETTERS_AND_DIGITS) -> str:
    return "".join(random.choices(alphabet, k=count))


def _emails(random: Random) -> tuple[str, ...]:
    name = random.choice(["k.tanaka", "lena", "p_novak", "zoe-marie", "jmiller"])
    host = random.choice(["web.de", "student.ethz.ch", "company.com.au", "mail.ru", "startup.dev", "city.gov"])
    number = _digits(random, 3)
    return (
        f"{name}@{host}",
        f"{name}{number}@{host}",
        f"{name}+{number}@{host}",
        f"{name.title()}@{host.title()}",
        f'"|{name}@{host}|"',
        f"From: Some One <|{name}@{host}|>",
        f"|{name}@{host}|; |x{number}@gmail.com|",
        f"{name} (at) {host.replace('.', ' (dot) ')}",
        f"{name}[at]{host}",
        f"{name} AT {host.replace('.', ' DOT ')}",
        f"https://|{name}@{host}|/inbox",
        f"git config user.email |{name}@{host}|",
        f"{number}.{name}@sub.{host}",
    )


def _phones(random: Random) -> tuple[str, ...]:
    area = random.choice(["206", "312", "512", "646", "713"])
    exchange = f"{random.randint(2, 9)}{random.randint(10, 99)}"
    line, two, three = _digits(random, 4), _digits(random, 2), _digits(random, 3)
    return (
        f"({area}){exchange}-{line}",
        f"+1-{area}-{exchange}-{line}",
        f"+1 ({area}) {exchange}-{line}",
        f"{area} {exchange} {line}",
        f"{area}/{exchange}-{line}",
        f"Tel.: |{area} {exchange} {line}|",
        f"phone: |+1{area}{exchange}{line}|",
        f"{area}-{exchange}-{line} ext. {two}",
        f"+49 (0)89 2180 {line}",
        f"+49 171 {three}{line}",
        f"0171 {three}{line}",
        f"+33 6 12 {two} {two} 08",
        f"06 12 {two} 34 {two}",
        f"+44 (0)20 7946 {line}",
        f"+61 2 9{three} {line}",
        f"+91 98765 4{line}",
        f"+81-3-5{three}-{line}",
        f"0043 1 5{three}{line}",
        f"Mobile |07911 123{three}|",
        f"+34 612 {three} 2{two}",
    )


def _cards(random: Random) -> tuple[str, ...]:
    def number(prefix: str, length: int = 16) -> str:
        body = prefix + _digits(random, length - 1 - len(prefix))
        return body + luhn.calc_check_digit(body)

    def fours(digits: str, gap: str) -> str:
        return gap.join(digits[i : i + 4] for i in range(0, len(digits), 4))

    amex, diners = number("34", 15), number("36", 14)
    return (
        number("4"),
        number("51"),
        number("55"),
        fours(number("4539"), " "),
        fours(number("5425"), "-"),
        fours(number("6011"), " "),
        fours(number("2221"), " "),
        f"{amex[:4]}-{amex[4:10]}-{amex[10:]}",
        f"{diners[:4]} {diners[4:10]} {diners[10:]}",
        f"cc=|{number('4')}|&exp=1225",
        f"Visa: |{fours(number('4'), ' ')}|, CVV 123",
        f"card_number='|{number('54')}|'",
        fours(number("4"), "."),
        f"|{number('37', 15)}| exp 09/27",
    )


def _ibans(random: Random) -> tuple[str, ...]:
    def number(country: str, body: str) -> str:
        return f"{country}{mod_97_10.calc_check_digits(f'{body}{country}')}{body}"

    def fours(compact: str, gap: str = " ") -> str:
        return gap.join(compact[i : i + 4] for i in range(0, len(compact), 4))

    austrian, swiss = number("AT", _digits(random, 16)), number("CH", _digits(random, 17))
    german = number("DE", _digits(random, 18))
    swedish, irish = number("SE", _digits(random, 20)), number("IE", f"AIBK{_digits(random, 14)}")
    return (
        austrian,
        fours(austrian),
        fours(swiss),
        swedish,
        fours(irish),
        irish.lower(),
        f"IBAN |{fours(german)}|",
        f"IBAN:|{german}|;BIC:COBADEFF",
        f"iban='|{swiss}|'",
        fours(german, "-"),
        f"|{fours(german)}| (Commerzbank)",
        f"account |{fours(austrian)}| at Erste",
    )


def _ssns(random: Random) -> tuple[str, ...]:
    area, group, serial = f"{random.randint(100, 660)}", f"{random.randint(10, 98)}", f"{random.randint(1000, 9998)}"
    return (
        f"{area}-{group}-{serial}",
        f"SSN: |{area}-{group}-{serial}|",
        f"ssn=|{area}{group}{serial}|",
        f"SSN |{area}{group}{serial}|",
        f"social security number is |{area}-{group}-{serial}|",
        f"Social Security No. |{area} {group} {serial}|",
        f"soc sec: |{area}-{group}-{serial}|",
        f"SS# |{area}-{group}-{serial}|",
        f'"ssn": "|{area}-{group}-{serial}|"',
        f"{area}\u2013{group}\u2013{serial}",
        f"SSN (|{area} {group} {serial}|)",
    )


def _ip_addresses(random: Random) -> tuple[str, ...]:
    def octet() -> int:
        return random.randint(0, 255)

    four = f"{random.choice([5, 31, 46, 62, 93, 151, 178, 185, 212])}.{octet()}.{octet()}.{random.randint(1, 254)}"
    group = [f"{random.randint(4096, 65535):x}" for _ in range(6)]
    return (
        four,
        f'|{four}| - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326',
        f"ssh root@|{four}|",
        f"from |{four}| port 51724 ssh2",
        f"|{four}|/24",
        f"http://|{four}|:8000/api",
        f"X-Forwarded-For: |{four}|, 10.0.0.1",
        f'client_ip="|{four}|"',
        f"2a00:1450:4001:{':'.join(group[:5])}",
        f"2003:c1:{group[0]}::{group[1]}",
        f"[|2a01:4f8:{group[0]}:{group[1]}::2|]:22",
        "ping6 |2001:4860:4860::8888|",
        f"|2a02:810d:{group[0]}::1|/64",
    )


def _api_keys(random: Random) -> tuple[str, ...]:
    def segment(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    web_token = ".".join([segment('{"typ":"JWT","alg":"RS256"}'), segment('{"iss":"me","exp":1}'), _chars(random, 86)])
    capitals = string.ascii_uppercase + string.digits
    key = "-----BEGIN PRIVATE KEY-----\n{}\n{}\n-----END PRIVATE KEY-----"
    return (
        f"ASIA{_chars(random, 16, capitals)}",
        f"aws_secret_access_key = |{_chars(random, 40)}|",
        f"github_pat_{_chars(random, 22)}_{_chars(random, 59)}",
        f"gho_{_chars(random, 36)}",
        f"glpat-{_chars(random, 20)}",
        f"sk-ant-api03-{_chars(random, 80)}-{_chars(random, 12)}",
        f"sk-{_chars(random, 48)}",
        f"hf_{_chars(random, 34)}",
        f"xoxp-{_digits(random, 11)}-{_digits(random, 12)}-{_chars(random, 32, HEX)}",
        f"rk_live_{_chars(random, 24)}",
        f"SG.{_chars(random, 22)}.{_chars(random, 43)}",
        f"npm_{_chars(random, 36)}",
        f"pypi-AgEI{_chars(random, 90)}",
        f"AIza{_chars(random, 35)}",
        web_token,
        key.format(_chars(random, 64), _chars(random, 40)),
        f"export OPENAI_API_KEY=|sk-proj-{_chars(random, 60)}|",
        f'"client_secret": "|{_chars(random, 32)}|"',
        f"password: |{_chars(random, 20)}|",
        f"curl -H 'X-Api-Key: |{_chars(random, 32, HEX)}|' https://api.acme.io",
        f"https://api.acme.io/v1?api_key=|{_chars(random, 32)}|",
        f"postgres://app:|{_chars(random, 18)}|@db.acme.io/prod",
        f"Authorization: token |{_chars(random, 40, HEX)}|",
    )


FORMATS: dict[str, Callable[[Random], tuple[str, ...]]] = {
    "api_key": _api_keys,
    "card": _cards,
    "email": _emails,
    "iban": _ibans,
    "ip_address": _ip_addresses,
    "phone": _phones,
    "ssn": _ssns,
}


def lookalikes(random: Random) -> tuple[str, ...]:
    """Text that holds no personal data: numbers, names and code of the same shapes."""
    major, minor, patch = random.randint(1, 40), random.randint(0, 99), random.randint(0, 2000)
    year, month, day = random.randint(1980, 2030), random.randint(10, 12), random.randint(10, 28)
    digest = hashlib.sha256(_chars(random, 8).encode()).hexdigest()
    return (
        f"{major}.{minor}.{patch}",
        f"Chrome/{major}.0.{patch}.{minor}",
        f"libfoo-{major}.{minor}.{random.randint(0, 9)}.{random.randint(0, 9)}.tar.gz",
        f"version={major}.{minor}.0.1",
        f"Windows 10.0.{random.randint(10000, 22000)}.{patch}",
        f"see sections {random.randint(1, 9)}.{random.randint(1, 9)}.{random.randint(1, 9)}.{random.randint(1, 9)}",
        f"pip install torch=={major}.{minor}.1 numpy==1.26.{random.randint(0, 9)}",
        f"ISBN 978-{random.randint(0, 9)}-{_digits(random, 2)}-{_digits(random, 6)}-{_digits(random, 1)}",
        f"ISBN: 97{random.choice('89')}{_digits(random, 10)}",
        f"ISSN {_digits(random, 4)}-{_digits(random, 3)}X",
        f"doi:10.{_digits(random, 4)}/s{_digits(random, 5)}-0{_digits(random, 2)}-{_digits(random, 4)}-8",
        f"arXiv:{_digits(random, 4)}.{_digits(random, 5)}v2",
        f"order no. {_digits(random, 3)}-{_digits(random, 7)}-{_digits(random, 7)}",
        f"Order #{_digits(random, 12)}",
        f"invoice {year}-{_digits(random, 6)}",
        f"tracking number 9400{_digits(random, 18)}",
        f"SKU {_chars(random, 3, string.ascii_uppercase)}-{_digits(random, 5)}-{_digits(random, 2)}",
        f"EAN 40{_digits(random, 11)}",
        f"{year}-{month}-{day}T{random.randint(10, 23)}:{random.randint(10, 59)}:{random.randint(10, 59)}Z",
        f"{day}.{month}.{year} {random.randint(10, 23)}:{random.randint(10, 59)}",
        f"{year}{month}{day}{random.randint(10, 23)}{random.randint(1000, 5959)}",
        f"ts=17{_digits(random, 8)}.{_digits(random, 6)}",
        f"epoch 16{_digits(random, 11)} ms",
        f"md5 {digest[:32]}",
        f"sha1:{digest[:40]}",
        f'etag "{digest[:16]}"',
        f"commit {digest[:7]} (parent {digest[8:15]})",
        f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}",
        f"0x{digest[:16]}",
        f"#{digest[:6]}",
        f"latitude 48.{_digits(random, 6)}, longitude 11.{_digits(random, 6)}",
        f"[{', '.join(str(random.randint(100, 999)) for _ in range(6))}]",
        f"{random.randint(1, 9)},{_digits(random, 3)},{_digits(random, 3)} people in {year}",
        f"$ {random.randint(1, 9)}.{_digits(random, 3)}.{_digits(random, 3)},00",
        f"{_digits(random, 3)} {_digits(random, 3)} {_digits(random, 3)} km",
        f"x = {random.random():.16f}",
        f"loss 0.{_digits(random, 4)} 0.{_digits(random, 4)} 0.{_digits(random, 4)}",
        f"pp. {_digits(random, 3)}-{_digits(random, 3)}, vol. {_digits(random, 2)}",
        f"score 21-19, 19-21, 22-20 ({year})",
        "@property\ndef size(self): return self.a @ self.b",
        "from x import y as z; user@localhost",
        "meet me at noon at the market dot on the map",
        "icon@3x.png and style@1.2.3.css",
        "npm install left-pad@1.3.0 @types/node@20.11.5",
        "docker pull registry/app@sha256:" + digest,
        "secret = os.environ['APP_SECRET_NAME']",
        'password = getpass.getpass("Password for the database: ")',
        "token = tokenizer.convert_ids_to_tokens(input_ids)[0]",
        "api_key: <your-api-key-here>",
        "key = primary_key_of_the_orders_table",
        "password: correct-horse-battery-staple",
        "secret_key_base is read from config/secrets.yml",
        "Bearer of bad news came at dawn, and tokens of friendship were exchanged",
        "fe80::1, ::1, fc00::1234 and 2001:db8::1",
        f"10.{random.randint(0, 255)}.{random.randint(0, 255)}.7 and 172.16.{random.randint(0, 255)}.9 and 192.168.1.1",
        "0.0.0.0 and 255.255.255.0 and 224.0.0.1",
        f"{random.randint(10, 23)}:{random.randint(10, 59)}:{random.randint(10, 59)}:{random.randint(10, 29)}",
        f"a1:b2:c3:d4:e5:{digest[:2]}",
        f"ZIP {_digits(random, 5)}-{_digits(random, 4)}",
        f"part no. {_digits(random, 3)}-{_digits(random, 4)}",
        f"US patent {random.randint(5, 11)},{_digits(random, 3)},{_digits(random, 3)}",
        f"CAS {_digits(random, 5)}-{_digits(random, 2)}-{_digits(random, 1)}",
        f"BIC COBADEFF, GB{_digits(random, 9)} (VAT)",
        f"flight LH{_digits(random, 3)} at gate {_digits(random, 2)}, seat 14C",
        f"account {_digits(random, 8)}, sort code {_digits(random, 2)}-{_digits(random, 2)}-{_digits(random, 2)}",
        f"row {_digits(random, 16)} of {_digits(random, 13)}",
        f"case 21-cv-{_digits(random, 5)}, docket {_digits(random, 2)}-{_digits(random, 4)}",
        f"UTM 32U {_digits(random, 6)} {_digits(random, 7)}",
    )


def held_out(kind: str, rounds: int, seed: int) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Every format of a kind, `rounds` times with fresh values: a text, and where its personal data stands."""
    random = Random(f"{kind} {seed}")
    for _ in range(rounds):
        for value in FORMATS[kind](random):
            marked = value if "|" in value else f"|{value}|"
            before, after = random.choice(CARRIERS).split("{}")
            pieces = marked.split("|")
            text, spans = before, []
            for place, piece in enumerate(pieces):
                if place % 2:
                    spans.append((len(text), len(text) + len(piece)))
                text += piece
            yield text + after, spans


def harmless(rounds: int, seed: int) -> Iterator[str]:
    """Every look-alike, `rounds` times with fresh values, in a text."""
    random = Random(seed)
    for _ in range(rounds):
        for value in lookalikes(random):
            before, after = random.choice(CARRIERS).split("{}")
            yield before + value + after
