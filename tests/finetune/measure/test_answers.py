from __future__ import annotations

import pytest

from finetune.measure.answers import answer_figures, answer_words, normalize_answer
from finetune.measure.metrics import score


def test_an_answer_is_compared_without_what_does_not_count() -> None:
    assert normalize_answer(' "สมชาย\u200b  ใจดี". ') == "สมชาย ใจดี"
    assert normalize_answer("พ.ศ. 2533") == "พ.ศ. 2533"
    assert normalize_answer("(1,250)") == "1,250"
    assert normalize_answer("IPhone") == "iphone"
    assert normalize_answer("...") == "..."
    assert normalize_answer("ๆ") == "ๆ"


def test_words_are_those_of_newmm_without_punctuation() -> None:
    assert answer_words("คนไทย - ลาว") == ("คนไทย", "ลาว")


def test_f1_is_of_words_and_of_characters() -> None:
    # Two of three words are right, none too many: precision 1, recall 2/3, F1 4/5.
    word_f1, exact, char_f1 = answer_figures("แมว หมา", ["แมว หมา ปลา"])
    assert word_f1 == pytest.approx(4 / 5) and exact == 0.0
    assert char_f1 == pytest.approx(2 * 6 / (6 + 9))


def test_the_best_of_the_gold_answers_counts() -> None:
    found = score("qa", [["หมา", "แมว"], ["ปลา"]], [["แมว"], [""]])
    assert found == {"f1": 0.5, "exact_match": 0.5, "char_f1": 0.5}
    assert answer_figures("", [""]) == (0.0, 1.0, 0.0)
