from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fanno_core.teachers.context import fit, prompt_limit
from fanno_core.teachers.protocol import Request, Sampling
from fanno_core.teachers.rendered import rendered_request


def words(text: str) -> int:
    return len(text.split())


def about(document: str, max_tokens: int = 20) -> Request:
    return rendered_request("r", "document_quality", {"document": document}, Sampling(max_tokens), "d")


FRAME = words(about("").text)


@given(length=st.integers(1, 400), context=st.integers(1, 600), max_tokens=st.integers(1, 50))
def test_what_fits_is_the_longest_beginning_of_the_document(length: int, context: int, max_tokens: int) -> None:
    document = " ".join(f"w{n}" for n in range(length))
    request = about(document, max_tokens)
    limit = prompt_limit(context, max_tokens)
    fitted = fit(request, context, words)
    if limit <= FRAME:
        assert fitted is None
        return
    assert fitted is not None
    assert fitted.tokens == words(fitted.text) == min(limit, FRAME + length)
    assert fitted.cut_tokens == FRAME + length - fitted.tokens
    start, end = request.documents
    kept = fitted.text[start : len(fitted.text) - (len(request.text) - end)]
    assert document.startswith(kept)
    assert fitted.text == request.text[:start] + kept + request.text[end:]


def test_the_span_is_the_document_and_nothing_else() -> None:
    for document in ("bees", "bees\n\nand <<marks>>", "", "<<\n>>"):
        request = about(document)
        assert request.text[slice(*request.documents)] == document


def test_retrieved_documents_go_before_the_own_one() -> None:
    values = {"document": "own " * 50, "retrieved": "other " * 50, "instruction": "Why?"}
    request = rendered_request("r", "response_rag_plus", values, Sampling(10), "d")
    fitted = fit(request, words(request.text) - 20, words)
    assert fitted is not None
    assert fitted.text.count("own ") == request.text.count("own ")
    assert 0 < fitted.text.count("other") < 50


def test_a_prompt_without_documents_is_not_cut() -> None:
    request = rendered_request("r", "response_direct", {"instruction": "why " * 50}, Sampling(1000), "d")
    assert request.documents == (0, 0)
    length = words(request.text)
    assert fit(request, length, words) is None
    fitted = fit(request, length + 1, words)
    assert fitted is not None
    assert fitted.text == request.text
