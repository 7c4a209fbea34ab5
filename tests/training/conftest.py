"""A tiny encoder for the tests of fine-tuning and of heads: random weights, a vocabulary of a few hundred pieces, and
short narratives of invented people."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from typer.testing import CliRunner, Result

from nlp.classification import Pooling, columns_of
from nlp.codebook import Codebook
from nlp.encoding import Encoder, WordPieces
from nlp.redaction import Redactor
from nlp.tags import Tagger, Tags
from nlp.types import Entity, Span
from training.cli import app
from training.corpus import Case, read_cases, write_cases
from training.encoder.settings import Tuning
from training.heads import Serving

WIDTH = 32
Train = Callable[..., Result]  # arguments of casecoder-train -> how it ended
REFUSED, BEATEN = ("health.denial", "health"), ("violence.physical", "police")

# language, person, what speaks for the codes (None: nothing happened), text
NARRATIVES = [
    ("en", "Zarina Tolova", "The doctor refused to examine her",
     "Zarina Tolova came in the morning. The doctor refused to examine her because of HIV. She left with pain."),
    ("en", "Bohdan Rusk", "Two policemen beat him",
     "Bohdan Rusk called at night. Two policemen beat him near the station. His arm is broken."),
    ("en", "Mirela Donici", "A nurse refused the injection",
     "Mirela Donici was sent away. A nurse refused the injection and shouted at the queue."),
    ("en", "Timur Kaleb", "They beat him with batons",
     "Officers stopped Timur Kaleb on the bridge. They beat him with batons and laughed."),
    ("en", "Olga Verba", None,
     "Olga Verba asked about food parcels. We gave her tea, a blanket and a place in the shelter."),
    ("en", "Ana Furtuna", "The dentist refused",
     "At the clinic Ana Furtuna asked for pills. The dentist refused and closed the door."),
    ("en", "Ilir Duka", "beat everyone inside",
     "Ilir Duka slept in a small flat. Police kicked the door and beat everyone inside."),
    ("en", "Dragan Pesic", None,
     "Dragan Pesic visited our office to say thank you. Nothing bad happened this month."),
    ("en", "Lena Osk", "The surgeon refused",
     "Lena Osk wanted an operation. The surgeon refused when he read the word HIV in her card."),
    ("en", "Marat Senov", "A patrol beat him",
     "Marat Senov sells fruit. A patrol beat him for an old syringe in his bag."),
    ("en", "Gulnara Asan", None,
     "Gulnara Asan took new tests. The result was good and the laboratory was polite."),
    ("en", "Petru Munte", None,
     "Petru Munte brought his papers. We copied them and wrote a letter to the court."),
    ("ru", "Айгуль Садова", "Врач отказал ей в приёме",
     "Пришла Айгуль Садова. Врач отказал ей в приёме из-за ВИЧ. Она ушла домой."),
    ("ru", "Олег Рудин", "Полицейские избили его",
     "Олег Рудин позвонил вечером. Полицейские избили его у вокзала."),
    ("ru", "Нине Лапиной", "Медсестра отказала",
     "Медсестра отказала Нине Лапиной в уколе. При всех кричала про диагноз."),
    ("ru", "Руслана Бекова", "Его избили дубинками",
     "Патруль остановил Руслана Бекова. Его избили дубинками в машине."),
    ("ru", "Ирина Шубина", None,
     "Ирина Шубина получила продукты и тёплые вещи. Всё хорошо."),
    ("ru", "Вера Кольцова", "Хирург отказал",
     "Хирург отказал. Вера Кольцова ждала операцию полгода."),
    ("ru", "Дениса Мороза", "избили двое в форме",
     "Ночью Дениса Мороза избили двое в форме. Заявление не приняли."),
    ("ru", "Тахир Нуров", None,
     "Тахир Нуров сдал анализы. Приняли вежливо, помощь не нужна."),
    ("ru", "Роза Ким", "Стоматолог отказал",
     "Стоматолог отказал, когда Роза Ким назвала свою болезнь."),
    ("ru", "Санжара Алиева", "избили сотрудники патруля",
     "Возле рынка Санжара Алиева избили сотрудники патруля."),
    ("ru", "Лейла Гаева", None,
     "Лейла Гаева принесла справку. Мы помогли написать письмо."),
    ("ru", "Степан Гриб", None,
     "Степан Гриб зашёл за консультацией. Рассказал новости, выпил чаю."),
]  # fmt: skip

OTHER_WORDS = "window garden winter doctor's street улица зима дверь ექიმი უარი բժիշկ მერժեց бемор духтур shifokor"
FOREIGN_PIECES = ["▁日本", "日", "本", "α", "▁αβ", "▁ال", "अ", "▁ไทย", "ß", "▁Straße", "ħ"]
_MARKS = ["<s>", "<pad>", "</s>", "<unk>"]


def _letters() -> str:
    scripts = [("a", "z"), ("A", "Z"), ("0", "9"), ("а", "я"), ("А", "Я"), ("ა", "ჰ"), ("ա", "ֆ"), ("Ա", "Ֆ")]
    ranges = "".join(chr(at) for first, last in scripts for at in range(ord(first), ord(last) + 1))
    return ranges + "ёЁәіїєґқғңһүұөӣӯҳјљњћђџѓќăâîșțëçčćžšđəğıöü.,!?-:;'\"()$%№"  # no ҷ: real vocabularies lack it


def _vocabulary() -> list[tuple[str, float]]:
    """Pieces with scores: the marks, signs, words of the narratives, pieces of scripts that nobody here writes."""
    words = [word for _, _, _, text in NARRATIVES for word in text.split()] + OTHER_WORDS.split()
    words = list(dict.fromkeys(f"▁{word.strip('.,')}" for word in words))
    scored = [(mark, 0.0) for mark in _MARKS] + [("▁", -4.0)]
    scored += [(letter, -11.0 - at / 1000) for at, letter in enumerate(_letters())]
    known = {piece for piece, _ in scored}
    scored += [(piece, -7.0) for piece in FOREIGN_PIECES if piece not in known]
    return scored + [(word, -6.0 - at / 1000) for at, word in enumerate(words) if word not in known] + [("<mask>", 0.0)]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Matrices as small as those of these tests are faster on one core, above all where others compute too."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def tokenizer_json() -> bytes:
    """A Unigram tokenizer built as XLM-RoBERTa's is."""
    vocabulary = _vocabulary()
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in [*_MARKS, "<mask>"]])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer.to_str().encode()


@pytest.fixture(scope="session")
def pieces(tokenizer_json: bytes) -> WordPieces:
    return WordPieces.from_json(tokenizer_json)


@pytest.fixture(scope="session")
def bert_folder(tokenizer_json: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny encoder as a folder that `finetune --encoder` takes: BERT with random weights, of two layers."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(json.loads(tokenizer_json)["model"]["vocab"]),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    folder = tmp_path_factory.mktemp("encoder") / "tiny"
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes(tokenizer_json)
    return folder


@pytest.fixture(scope="session")
def tuning(bert_folder: Path) -> Tuning:
    """Settings of a run of seconds."""
    return Tuning(
        encoder=str(bert_folder), layers=2, vocabulary=2000, names="", seed=3, epochs=2, falls_over=2,
        tokens_per_batch=96,
        frozen_layers=1, learning_rate=2e-3, head_learning_rate=1e-2, weight_decay=0.01, warmup=0.1,
        dropout=0.1, head_dropout=0.1, precision="float32", evidence_weight=1.0, tags_weight=1.0,
        sentences_share=0.5, lower_share=0.2, upper_share=0.1, excerpt_share=0.0, minutes_between_checkpoints=60,
    )  # fmt: skip


@pytest.fixture(scope="session")
def cases() -> list[Case]:
    """The narratives as coded cases, each a group of its own."""
    return [_case(at, *row) for at, row in enumerate(NARRATIVES)]


def _case(number: int, language: str, person: str, evidence: str | None, text: str) -> Case:
    code, sector = REFUSED if evidence and ("отказал" in evidence or "refused" in evidence) else BEATEN
    start = text.index(person)
    codes = [code] if evidence else []
    if any(word in text for word in ("shouted", "laughed", "кричала")):
        codes.append("violence.psychological")
    return Case(
        case_id=f"c{number}", language=language, text=text, writer="w", theme=f"t{number}",
        codes={
            "violation": frozenset(codes),
            "perpetrator": frozenset([sector] if evidence else ()),
            "population": frozenset({"plhiv"}) if "HIV" in text or "ВИЧ" in text else None,
        },
        primary={"violation": code if evidence else None, "population": None},
        evidence={"violation": {code: (evidence,)}} if evidence else {},
        entities=(Entity(Span(start, start + len(person)), "PERSON", 1.0, "gold"),),
    )  # fmt: skip


@pytest.fixture(scope="session")
def make_serving(pieces: WordPieces, codebook: Codebook) -> Callable[..., Serving]:
    """Serving parts whose network is a table of random states, one for each piece: fast, and words tell cases
    apart. ``called`` is told of every pass."""
    rng = np.random.default_rng(5)
    table = rng.normal(size=(pieces.tokenizer.get_vocab_size(), WIDTH)).astype(np.float32)
    columns = columns_of(codebook)
    axes = tuple(axis.id for axis in codebook.axes)
    arrays = {
        "salience": rng.normal(size=(WIDTH + 1, len(axes))) / 10,
        "evidence": rng.normal(size=(WIDTH + 1, len(columns))) / 10,
        "opinion": rng.normal(size=(2 * WIDTH + 2, len(columns))) / 10,
    }
    tags = Tags([identifier.id for identifier in codebook.identifiers])

    def make(called: Callable[[], Any] = lambda: None) -> Serving:
        def network(ids: np.ndarray) -> np.ndarray:
            called()
            return np.asarray(table[ids])

        tagger = Tagger(
            tags,
            weights=np.zeros((WIDTH, len(tags.names)), dtype=np.float32),
            bias=np.eye(len(tags.names), dtype=np.float32)[0] * 20,  # everything is outside
            thresholds=dict.fromkeys(tags.types, 0.5),
        )
        pooling = Pooling(axes, columns, **arrays)
        return Serving(Encoder(pieces, network, width=WIDTH), tagger, pooling, Redactor((), tags.types))

    return make


@pytest.fixture(scope="session")
def narratives(root: Path, codebook: Codebook) -> tuple[Case, ...]:
    """All narratives of the corpus; no test changes them."""
    return tuple(read_cases(root / "annotations" / "narratives", codebook))


@pytest.fixture(scope="session")
def small_config(root: Path, tmp_path_factory: pytest.TempPathFactory, cases: list[Case]) -> Path:
    """The shipped configuration, made small: the narratives above, one epoch on two layers."""
    folder = tmp_path_factory.mktemp("corpus")
    write_cases(folder / "narratives" / "en-ru.jsonl", cases)
    toml = (root / "training" / "configs" / "encoder.toml").read_text(encoding="utf-8")
    values = {
        "codebook": json.dumps(str(root / "annotations" / "codebook.yaml")),
        "narratives": json.dumps(str(folder / "narratives")),
        "languages": '["en", "ru"]',
        "file": '""',
        "test_writers": "[]",
        "default": "{ train = 0.5, tune = 0.25, test = 0.25 }",
        "en": "{ train = 0.5, tune = 0.25, test = 0.25 }",
        "ru": "{ train = 0.5, tune = 0.25, test = 0.25 }",
        "layers": "2",
        "vocabulary": "2000",
        "epochs": "1",
        "falls_over": "1",
        "frozen_layers": "1",
        "tokens_per_batch": "128",
        "precision": '"float32"',
        "C": "[0.1, 1.0]",
        "min_persons": "2",
        "version": '"9.9.9"',
    }
    for key, value in values.items():
        toml, n = re.subn(rf"^{key} = .*$", lambda _, line=f"{key} = {value}": line, toml, flags=re.MULTILINE)
        assert n == 1, key
    (folder / "small.toml").write_text(toml, encoding="utf-8")
    return folder / "small.toml"


@pytest.fixture(scope="session")
def names_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences with marked names, as public corpora have them."""
    folder = tmp_path_factory.mktemp("names")
    sentences = [
        {
            "text": "Zarina Tolova visited the court",
            "lang": "en",
            "spans": [{"start": 0, "end": 13, "label": "PERSON"}],
        },
        {"text": "The doctor came in the morning", "lang": "en", "spans": []},
        {"text": "Олег Рудин ушёл домой", "lang": "ru", "spans": [{"start": 0, "end": 10, "label": "PERSON"}]},
    ]
    for part in ("train", "dev"):
        with gzip.open(folder / f"mixed.{part}.jsonl.gz", "wt", encoding="utf-8") as stream:
            stream.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in sentences)
    return folder


@pytest.fixture(scope="session")
def train() -> Train:
    """Runs a command of ``casecoder-train``."""
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def finetuned(
    small_config: Path, bert_folder: Path, names_folder: Path, tmp_path_factory: pytest.TempPathFactory, train: Train
) -> Path:
    """A run after `prepare` and `finetune`; tests that change it take a copy."""
    run = tmp_path_factory.mktemp("run")
    steps = [["prepare"], ["finetune", "--encoder", bert_folder, "--names", names_folder]]
    for step in steps:
        done = train(*step, "--config", small_config, "--run", run)
        assert done.exit_code == 0, done.output
    return run


@pytest.fixture(scope="session")
def drafted(finetuned: Path, small_config: Path, tmp_path_factory: pytest.TempPathFactory, train: Train) -> Path:
    """A copy of the run after `fit`."""
    run = shutil.copytree(finetuned, tmp_path_factory.mktemp("drafted") / "run")
    done = train("fit", "--config", small_config, "--run", run)
    assert done.exit_code == 0, done.output
    return Path(run)
