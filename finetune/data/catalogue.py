"""The table of benchmark tasks: a row each.

Revisions are commits where one could be looked up on public pages. The Hub's own conversion,
refs/convert/parquet, stands for data sets whose main branch is a loading script, which `datasets`
no longer runs, and moves only when its data set does.
"""

from __future__ import annotations

from finetune.data.kinds import Published, Task

CONVERTED = "refs/convert/parquet"

WANGCHANBERTA = "Lowphansirikul et al. 2021, arXiv 2101.09635, as two model cards quote it"
NOTEBOOK = "thai2transformers, notebooks"
NOTES = "thai2transformers, token_classification_notes.md"
TEST_621 = "another test: 621 of its 635 sentences, those under 510 mBERT pieces"
PHAYATHAIBERT = "Sriwirote et al. 2023, arXiv 2311.12475"
GAIN = f"a difference, not a score: {PHAYATHAIBERT}, against WangchanBERTa run again there"
IAPP_TEST = "thai2transformers, error_analysis_question_answering.ipynb: its 739 test questions"


def _gain(metric: str, value: float) -> Published:
    return Published("PhayaThaiBERT minus WangchanBERTa", metric, value, GAIN, gain=True)


STARS = {str(number): f"{number + 1}" for number in range(5)}
"""Star ratings as class numbers, for files that lost the classes' names."""

SIGNS = {
    "<right_parenthesis>": ")",
    "<left_parenthesis>": "(",
    "<full_stop>": ".",
    "<comma>": ",",
    "<minus>": "-",
    "<plus>": "+",
    "<quotation>": '"',
    "<apostrophe>": "'",
    "<slash>": "/",
    "<equal>": "=",
    "<colon>": ":",
    "<semi_colon>": ";",
    "<greater_than>": ">",
    "<less_than>": "<",
    "<space>": " ",
}
"""How ORCHID spells signs."""

TASKS: tuple[Task, ...] = (
    Task(
        "wisesight_sentiment",
        "sequence",
        "macro_f1",
        "sentiment of social media posts: neutral, negative, positive, question",
        hub="pythainlp/wisesight_sentiment",
        # The commit that put parquet in the place of the loading script.
        revision="85a79ed833429457227182c9f61a83e9127dfa2e",
        columns={"text": "texts", "label": "category"},
        relabel={"pos": "positive", "neu": "neutral", "neg": "negative", "q": "question"},
        published=(
            Published("WangchanBERTa", "accuracy", 0.7619, WANGCHANBERTA),
            Published("WangchanBERTa", "macro_f1", 0.6705, WANGCHANBERTA),
            Published("XLM-R base", "accuracy", 0.7301, NOTEBOOK),
            Published("XLM-R base", "macro_f1", 0.6242, NOTEBOOK),
            Published("NBSVM", "accuracy", 0.7203, NOTEBOOK),
            Published("NBSVM", "macro_f1", 0.5467, NOTEBOOK),
            _gain("accuracy", 0.0180),
            _gain("macro_f1", 0.0157),
        ),
    ),
    Task(
        "wongnai_reviews",
        "sequence",
        "macro_f1",
        "1 to 5 stars of restaurant reviews",
        hub="Wongnai/wongnai_reviews",
        # A commit of the Hub's conversion; 40,000 train and 6,203 test, validation by seed 2020
        # as both predecessors cut it.
        revision="6b31e6deaaaaa28468d0fd12c7d1bf8fb0b9018a",
        hub_folder="default",
        columns={"text": "review_body", "label": "star_rating"},
        published=(_gain("accuracy", 0.0016), _gain("macro_f1", -0.0052)),
    ),
    Task(
        "generated_reviews_enth",
        "sequence",
        "macro_f1",
        "1 to 5 stars of English product reviews, machine-written and machine-translated to Thai",
        hub="airesearch/generated_reviews_enth",
        revision=CONVERTED,  # no commit of it could be looked up
        hub_folder="generated_reviews_enth",
        columns={"text": "translation.th", "label": "review_star"},
        published=(_gain("accuracy", 0.0010), _gain("macro_f1", -0.0047)),
    ),
    Task(
        "yelp_review_full",
        "sequence",
        "macro_f1",
        "1 to 5 stars of English reviews, to see what English a model knows",
        hub="Yelp/yelp_review_full",
        revision=CONVERTED,  # no commit could be looked up
        hub_folder="yelp_review_full",
        # PhayaThaiBERT's rows: of 650,000 with 50,000 held out by seed 2020 the first ones.
        validation=50_000,
        first={"train": 36_000, "validation": 4_000, "test": 6_200},
        relabel={**STARS, **{f"{n} star{'s' * (n > 1)}": f"{n}" for n in range(1, 6)}},
        published=(_gain("accuracy", 0.0672), _gain("macro_f1", 0.0986)),
    ),
    Task(
        "prachathai67k",
        "multilabel",
        "macro_f1",
        "12 topics of news, none to several, from the title",
        hub="PyThaiNLP/prachathai67k",
        revision=CONVERTED,  # no commit of it could be looked up
        hub_folder="prachathai67k",
        columns={
            "text": "title",
            "label": "politics,human_rights,quality_of_life,international,social,environment,"
            "economics,culture,labor,national_security,ict,education",
        },
        published=(
            Published("NBSVM", "micro_f1", 0.6677, f"{NOTEBOOK}; threshold chosen on test"),
            Published("NBSVM", "macro_f1", 0.6073, f"{NOTEBOOK}; threshold chosen on test"),
            Published("ULMFiT", "micro_f1", 0.6621, f"{NOTEBOOK}; threshold chosen on test"),
            Published("ULMFiT", "macro_f1", 0.6021, f"{NOTEBOOK}; threshold chosen on test"),
            _gain("micro_f1", 0.0160),
            _gain("macro_f1", 0.0205),
        ),
    ),
    Task("truevoice_intent", "sequence", "macro_f1", "7 intents of calls to a call centre"),
    Task("thaigov_topic", "sequence", "macro_f1", "6 topics of long government news"),
    Task(
        "thainer_v1.3",
        "ner",
        "entity_f1",
        "13 types of named entities in news",
        # One split of 6,348 sentences, of which seed 2020 cuts .8/.1/.1 as thai2transformers did
        # (train_token_classification_lm_finetuning.py). No commit could be looked up.
        hub="wannaphong/thainer",
        revision=CONVERTED,
        columns={"label": "ner_tags"},
        hub_folder="thainer",
        relabel={"ไม่ยืนยัน": "O"},  # "not confirmed": the annotators' own doubt
        published=(
            Published("WangchanBERTa", "entity_f1", 0.865, f"quoted at second hand; {TEST_621}"),
            Published("XLM-R base", "entity_f1", 0.833, f"quoted at second hand; {TEST_621}"),
            Published("CRF", "entity_f1", 0.7898, f"{NOTES}; {TEST_621}"),
            Published(
                "WangchanBERTa, step 320k", "entity_f1", 0.8948, "thai2transformers, docs/5b"
            ),
            Published(
                "WangchanBERTa", "entity_f1", 0.8464,
                f"{PHAYATHAIBERT}; 5,079/635/634 sentences by the same seed",
            ),
            Published(
                "PhayaThaiBERT", "entity_f1", 0.8642,
                f"{PHAYATHAIBERT}; 5,079/635/634 sentences by the same seed",
            ),
            Published(
                "PhayaThaiBERT, Pavarissy/phayathaibert-thainer", "entity_f1", 0.8666,
                "its model card; on validation",
            ),
        ),
    ),
    Task(
        "thainer_v2",
        "ner",
        "entity_f1",
        "named entities in news, ThaiNER corpus 2, with its own splits",
        hub="pythainlp/thainer-corpus-v2",
        # A commit of the Hub's conversion, made from the last upload of the data.
        revision="f6306ab423929314e0225addf858611c796875dd",
        hub_folder="default",
        columns={"tokens": "words", "label": "ner"},
    ),
    # LST20's licence lets nobody pass it on: its folder of train, eval and test is the user's.
    # A line is word, part of speech, entity and clause; "_" is a space.
    Task(
        "lst20_ner",
        "ner",
        "entity_f1",
        "10 types of named entities in news (LST20, from your own folder)",
        columns={"label": "2"},
        respell={"_": " "},
        published=(
            Published("CRF", "entity_f1", 0.7594, NOTES),
            _gain("entity_f1", 0.0012),
        ),
    ),
    Task(
        "lst20_pos",
        "pos",
        "accuracy",
        "16 parts of speech in news (LST20, from your own folder)",
        columns={"label": "1"},
        respell={"_": " "},
        published=(
            Published("CRF", "accuracy", 0.9628, NOTES),
            Published("CRF", "macro_f1", 0.8128, NOTES),
            _gain("accuracy", 0.0005),
            _gain("macro_f1", -0.0033),
        ),
    ),
    Task("ud_thai_tud_pos", "pos", "accuracy", "15 universal parts of speech (UD Thai-TUD)"),
    Task(
        "ud_thai_pud_pos",
        "pos",
        "accuracy",
        "universal parts of speech (UD Thai-PUD), 1,000 sentences in one split, cut by seed",
        hub="universal-dependencies/universal_dependencies",
        revision=CONVERTED,  # no commit of it could be looked up
        hub_folder="th_pud",
        columns={"label": "upos"},
        one_split=True,
        published=(
            Published(
                "WangchanBERTa", "accuracy", 0.9883,
                "model card of wangchanberta-ud-thai-pud-upos; the split is not told",
            ),
        ),
    ),
    Task(
        "orchidpp_pos",
        "pos",
        "accuracy",
        "parts of speech of ORCHID, technical papers",
        relabel={"PRPE": "RPRE"},  # a slip of the pen in the validation split
        respell=SIGNS,
    ),
    Task(
        "thai_nner",
        "nested",
        "entity_f1",
        "104 types of entities, one within another up to 8 deep (Thai-NNER, all layers at once)",
        columns={"text": ""},  # its text has a space after every word
        respell={"_": " "},
        validation=None,  # as PhayaThaiBERT, where the folder holds train and test alone
        published=(_gain("entity_f1", 0.0495),),
    ),
    Task(
        "iapp_wiki_qa_squad",
        "qa",
        "f1",
        "questions on Wikipedia articles",
        hub="wannaphong/iapp_wiki_qa_squad",
        revision="f656120f7280191a86eee73c225c24a01a6978e2",
        published=(
            Published("XLM-R base", "exact_match", 0.5467, IAPP_TEST),
            Published("XLM-R base", "f1", 0.7936, IAPP_TEST),
            Published("mBERT", "exact_match", 0.5142, IAPP_TEST),
            Published("mBERT", "f1", 0.7579, IAPP_TEST),
            Published("WangchanBERTa", "exact_match", 0.4858, IAPP_TEST),
            Published("WangchanBERTa", "f1", 0.7372, IAPP_TEST),
        ),
    ),
    Task(
        "xquad_th",
        "qa",
        "f1",
        "1,190 questions translated from SQuAD; made to test alone, here one split cut by seed",
        hub="google/xquad",
        revision=CONVERTED,  # no commit of it could be looked up
        hub_folder="xquad.th",
        one_split=True,
    ),
    Task(
        "xnli_th",
        "sequence",
        "accuracy",
        "whether a sentence follows from another: entailment, neutral, contradiction",
        hub="facebook/xnli",
        revision=CONVERTED,  # no commit of it could be looked up
        hub_folder="th",
        relabel={"0": "entailment", "1": "neutral", "2": "contradiction"},
    ),
    Task(
        "wisesight1000_wordseg",
        "words",
        "word_f1",
        "where words begin in 993 social media posts, one split cut by seed",
        one_split=True,
    ),
    Task(
        "best2010_wordseg",
        "words",
        "word_f1",
        "where words begin in text of four genres (BEST, words between bars, your own folder)",
        one_split=True,
    ),
    Task("demo_sentiment", "sequence", "macro_f1", "sentiment in the demo's made-up text"),
    Task("demo_ner", "ner", "entity_f1", "named entities in the demo's made-up text"),
    Task("demo_pos", "pos", "accuracy", "parts of speech in the demo's made-up text"),
)  # fmt: skip
"""Every task: adding a benchmark is adding a row."""
