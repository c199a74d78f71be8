import pytest

from probe.docs.wording import blocks, first_sentence, joined, member_docstrings, paragraphs, sentence
from probe.model import Reason


def test_paragraphs_are_unwrapped() -> None:
    assert paragraphs("One,\n    two.\n\n    Three\n    four.\n    ") == ["One, two.", "Three four."]
    assert paragraphs(None) == []


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("Redis 6.2 and on. Two.", "Redis 6.2 and on."),
        ("Buckets (MinIO, e.g. ours. And AWS). Two.", "Buckets (MinIO, e.g. ours. And AWS)."),
        ("Without a stop", "Without a stop"),
    ],
)
def test_the_first_sentence(text: str, first: str) -> None:
    assert first_sentence(text) == first


@pytest.mark.parametrize(
    ("text", "written"),
    [("refused, or\n  reset", "Refused, or reset."), ("It is.", "It is."), ("", ""), ("53300: full", "53300: full.")],
)
def test_sentences(text: str, written: str) -> None:
    assert sentence(text) == written


def test_lists_of_words() -> None:
    assert [joined(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "anything",
        "a",
        "a or b",
        "a, b or c",
    ]


def test_what_is_indented_is_code_and_so_is_a_text_without_any_indent() -> None:
    assert blocks("Grant:\n\n    {\n      1\n    }\n\nOr:\n        2\n") == [
        (False, "Grant:"),
        (True, "{\n  1\n}"),
        (False, "Or:"),
        (True, "2"),
    ]
    assert blocks("GRANT a;\n-- or\nGRANT b;\n") == [(True, "GRANT a;\n-- or\nGRANT b;")]
    assert blocks("") == []


def test_docstrings_below_the_members_of_an_enumeration() -> None:
    meanings = member_docstrings(Reason)
    assert list(meanings) == [reason.value for reason in Reason if reason is not Reason.OK]
    assert meanings["auth"] == "Login or permission."
