"""Made-up personal data in the formats that people write, and harmless text that looks like it.

Where a format has words around the data, bars mark what is personal: `call |2125550187|`.
"""

from __future__ import annotations

import base64
import hashlib
import string
from collections.abc import Callable, Iterator
from random import Random

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

ALPHANUMERIC = string.ascii_letters + string.digits

CARRIERS = (
    "Please write it down: {}.",
    "You will find {} at the foot of the page, as every year.",
    "In 2019 we still used {} (see chapter 4).",
    "{} was all that stood on the card",
    "Name, value:\n{}\nThank you.",
    'She answered "{}" and hung up; 12 people heard it.',
)


def _digits(random: Random, count: int) -> str:
    return "".join(random.choices(string.digits, k=count))


def _chars(random: Random, count: int, alphabet: str = ALPHANUMERIC) -> str:
    return "".join(random.choices(alphabet, k=count))


def _email(random: Random) -> tuple[str, ...]:
    first, last = random.choice(["ann", "Jürgen", "o.brien", "mary-jo"]), random.choice(["smith", "lee", "da.silva"])
    domain = random.choice(["example.com", "mail.uni-bonn.de", "bbc.co.uk", "acme.io", "xn--bcher-kva.ch"])
    plain = domain.replace("xn--bcher-kva.ch", "books.ch")
    return (
        f"{first}.{last}@{domain}",
        f"{first}+news@{domain}",
        f"{first}_{last}{_digits(random, 2)}@{domain}".upper(),
        f"<|{last}@{domain}|>",
        f"mailto:|{last}%{first}@{domain}|",
        f"{last} [at] {plain.replace('.', ' [dot] ')}",
        f"{last}(at){plain}",
        f"{last} at {plain.replace('.', ' dot ')}",
    )


def _phone(random: Random) -> tuple[str, ...]:
    area, exchange, line = (
        random.choice(["212", "415", "303", "617"]),
        f"{random.randint(200, 999)}",
        _digits(random, 4),
    )
    return (
        f"({area}) {exchange}-{line}",
        f"{area}-{exchange}-{line}",
        f"{area}.{exchange}.{line}",
        f"+1 {area} {exchange} {line}",
        f"1-800-{exchange}-{line}",
        f"{area}-{exchange}-{line} x{_digits(random, 3)}",
        f"call |{area}{exchange}{line}|",
        f"020 7946 0{_digits(random, 3)}",
        f"07700 900{_digits(random, 3)}",
        f"+44 20 7946 0{_digits(random, 3)}",
        f"+49 30 9018{_digits(random, 4)}",
        f"+33 1 42 68 {_digits(random, 2)} {_digits(random, 2)}",
    )


def _card(random: Random) -> tuple[str, ...]:
    def number(prefix: str, length: int) -> str:
        body = prefix + _digits(random, length - 1 - len(prefix))
        return body + luhn.calc_check_digit(body)

    def grouped(digits: str, gap: str) -> str:
        return gap.join(digits[i : i + 4] for i in range(0, 16, 4))

    amex = number("37", 15)
    return (
        grouped(number("4", 16), " "),
        grouped(number("52", 16), "-"),
        number("2345", 16),
        f"{amex[:4]} {amex[4:10]} {amex[10:]}",
        number("34", 15),
        grouped(number("6011", 16), "\u00a0"),
        number("3528", 16),
        f"|{grouped(number('4', 16), ' ')}| 123",
    )


def _iban(random: Random) -> tuple[str, ...]:
    def number(country: str, body: str) -> str:
        check = mod_97_10.calc_check_digits(f"{body}{country}")
        return f"{country}{check}{body}"

    def grouped(compact: str, gap: str = " ") -> str:
        return gap.join(compact[i : i + 4] for i in range(0, len(compact), 4))

    german, dutch = number("DE", _digits(random, 18)), number("NL", f"ABNA{_digits(random, 10)}")
    british = number("GB", f"WEST{_digits(random, 14)}")
    return (
        german,
        grouped(german),
        dutch.lower(),
        grouped(british),
        f"IBAN: |{grouped(dutch)}| BIC: ABNANL2A",
        grouped(british, "\u00a0"),
    )


def _ssn(random: Random) -> tuple[str, ...]:
    area, group, serial = f"{random.randint(100, 665)}", f"{random.randint(10, 99)}", f"{random.randint(1000, 9999)}"
    return (
        f"{area}-{group}-{serial}",
        f"SSN |{area} {group} {serial}|",
        f"SSN: |{area}{group}{serial}|",
        f"Social Security number |{area}.{group}.{serial}|",
        f"{area}\u2011{group}\u2011{serial}",
        f"(SSN#|{area}-{group}-{serial}|)",
    )


def _ip_address(random: Random) -> tuple[str, ...]:
    four = f"{random.randint(77, 95)}.{_octet(random)}.{_octet(random)}.{_octet(random)}"
    groups = ["2a02", "8109", *(f"{random.randint(4096, 65535):x}" for _ in range(6))]
    return (
        four,
        f"http://|{four}|/index.html",
        f"|{four}|:8080",
        f"[|{four}|]",
        ":".join(groups),
        f"{':'.join(groups[:4])}::1",
        f"[|{':'.join(groups).upper()}|]:443",
    )


def _octet(random: Random) -> int:
    return random.randint(0, 255)


def _api_key(random: Random) -> tuple[str, ...]:
    def segment(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    token = ".".join([segment('{"alg":"HS256"}'), segment('{"sub":"12345678"}'), _chars(random, 43)])
    private = "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----"
    return (
        f"AKIA{_chars(random, 16, string.ascii_uppercase + string.digits)}",
        f"ghp_{_chars(random, 36)}",
        f"sk-proj-{_chars(random, 48)}",
        f"xoxb-{_digits(random, 12)}-{_chars(random, 24)}",
        f"AIza{_chars(random, 35)}",
        f"sk_live_{_chars(random, 24)}",
        token,
        private.format(_chars(random, 200)),
        f'API_KEY = "|{_chars(random, 32)}|"',
        f"secret: |{_chars(random, 40, '0123456789abcdef')}|",
        f"Authorization: Bearer |{_chars(random, 40)}|",
    )


FORMATS: dict[str, Callable[[Random], tuple[str, ...]]] = {
    "api_key": _api_key,
    "card": _card,
    "email": _email,
    "iban": _iban,
    "ip_address": _ip_address,
    "phone": _phone,
    "ssn": _ssn,
}


def personal(kind: str, rounds: int, seed: int) -> Iterator[tuple[str, int, int]]:
    """Every format of a kind, `rounds` times with fresh values: a sentence, and where its personal data stands."""
    random = Random(seed)
    for _ in range(rounds):
        for value in FORMATS[kind](random):
            marked = value if "|" in value else f"|{value}|"
            before, data, after = random.choice(CARRIERS).format(marked).split("|")
            yield before + data + after, len(before), len(before) + len(data)


def harmless(rounds: int, seed: int) -> Iterator[str]:
    """Sentences that hold no personal data but look like it."""
    random = Random(seed)
    for _ in range(rounds):
        for value in _lookalikes(random):
            yield random.choice(CARRIERS).format(value)


def _lookalikes(random: Random) -> tuple[str, ...]:
    version = f"{random.randint(1, 30)}.{random.randint(0, 30)}.{random.randint(0, 255)}.{random.randint(0, 20)}"
    return (
        f"version {version}",
        f"nginx/{version}",
        "sections 1.2.3.4 and 2.1.1.3",
        f"OID 1.3.6.1.4.1.{_digits(random, 4)}",
        f"192.168.{_octet(random)}.{_octet(random)} or 127.0.0.1 or 10.0.0.{_octet(random)}",
        "192.0.2.17, 198.51.100.4 and 2001:db8::8a2e:370:7334",
        "std::vector at 12:30:45, MAC 00:1a:2b:3c:4d:5e",
        f"2024-{random.randint(10, 12)}-{random.randint(10, 28)} 08:{random.randint(10, 59)}:{random.randint(10, 59)}",
        f"{random.randint(1990, 2030)}-{random.randint(1990, 2030)}, pages {_digits(random, 3)}-{_digits(random, 3)}",
        f"ISBN 978-0-{_digits(random, 3)}-{_digits(random, 5)}-{_digits(random, 1)}",
        f"ISBN-10: 0-{_digits(random, 3)}-{_digits(random, 5)}-{_digits(random, 1)}",
        f"order {_digits(random, 10)} of batch {_digits(random, 16)}",
        f"invoice #{_digits(random, 9)}, tracking 1Z{_digits(random, 16)}",
        f"PEP {_digits(random, 4)}, RFC {_digits(random, 4)}, arXiv {_digits(random, 4)}.{_digits(random, 5)}",
        f"commit {_chars(random, 40, '0123456789abcdef')}",
        f"sha256:{hashlib.sha256(_chars(random, 9).encode()).hexdigest()}",
        "the row 128 256 512 1024 2048 and the sum $1,234,567,890.12",
        f"{_digits(random, 3)} 456 7890 111 222 3333",
        f"the timestamp 16{_digits(random, 8)} or 16{_digits(random, 11)}",
        f"UUID {_chars(random, 8, '0123456789abcdef')}-e29b-41d4-a716-{_digits(random, 12)}",
        "git@github.com:python/peps.git and logo@2x.png",
        "@app.route('/user') and a @ b, 10 apples @ 2.50",
        "public at analytics.usa.gov and hosted at www.abmc.gov",
        "api_key = YOUR_API_KEY_GOES_HERE",
        "token = get_user_token_from_request(request)",
        "primary key: customer_id_and_order_number_2",
        "the secret is sha256_of_the_whole_file",
        "sk-learn-estimator-representation and hf_transformers_are_all_you_need",
        f"ticket GB{_digits(random, 2)}, part DE{_digits(random, 20)}",
        f"population {_digits(random, 3)},{_digits(random, 3)},{_digits(random, 3)}",
        f"9-digit zip {_digits(random, 5)}-{_digits(random, 4)}",
        f"case {_digits(random, 3)}-{_digits(random, 3)}-{_digits(random, 3)}",
        f"pi is 3.14159{_digits(random, 12)}",
    )
