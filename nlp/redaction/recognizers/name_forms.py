"""How names of the region look: patronymics, surnames, words of kinship, initials, and the words that announce
a name."""

from __future__ import annotations

import re
from functools import cache

from ..lexicon import UPPER

SURNAME = re.compile(
    r"(?:(?:[оеё]в|[иы]н)(?:а|у|ой|ым|ых|е|ы|ым[иа]?|ою)?|(?:ск|цк)(?:ий|ого|ому|им|ом|ая|ой|ую)|енко|"
    r"[чщ]ук(?:а|у|ом|е)?|"
    r"швили|дзе|[аяе]ни|ури|ава|[аь]?ян(?:а|у|ом|е|ц\w{0,2})?|зод[аеуы]|бек(?:ов\w{0,3})?|бай|"
    r"[oey]v(?:a|oy|u)?|ina?|skiy?|skyi?|ska(?:ya|ia)?|enko|chuk|shvili|dze|iani|yan(?:ts)?|ian|zod[ae]h?|zad[eə]|"
    r"i[cć]|vski|vska|escu|eanu|aru|aj|uly|uulu|kyzy|lı)$"
)
PATRONYMIC = re.compile(
    r"(?:(?:[ое]в|ьев)(?:ич|н[аеыу])(?:а|у|ем|е|ы|ой)?|(?:[ое]в|ьев)ной|инич(?:на|ны|не|ной|ну)|ьич(?:а|у|ом|"
    r"е)?|івн[аіоуи]\w?|[йо]ович\w{0,2}|"
    r"[oe]vich|[oe]vna|ivna|yevna|yevich|yovych|ovych|ivich)$"
)
KIN = (
    r"(?:[ұу]улу|улы|ұлы|о[гғ]лы|угли|ўғли|кызы|қызы|қизи|кизи|гызы|uulu|uly|ulu|oglu|oğlu|ogly|"
    r"o['ʻ’`]?g['ʻ’`]?li|ugli|kyzy|kizi|"
    r"qizi|qızı|gizi)"
)
"""Words for son and daughter that stand after the father's name."""

IS_KIN = re.compile(KIN, re.IGNORECASE)

HONORIFIC = re.compile(
    r"[-‐](?:ака|ата|апа|опа|ага|ой[иы]м|байке|эже|эдже|хон|хола|тога|джан|жан|ханум|ханым|муаллим|муаллима|"
    r"aka|ata|apa|opa|aga|bayke|baike|eje|ezhe|khon|xon|jan|zhan|khanum|xanim|hoca|bey|hanum|hanım|batono)$",
    re.IGNORECASE,
)
"""Titles of respect that follow a name after a hyphen and do not belong to it."""

_TITLES_RU = (
    "доктор врач медсестр медбрат сестр санитарк инфекционист гинеколог фельдшер акушерк заведующ главврач зав "
    "гепатолог фтизиатр "
    "невролог терапевт хирург психолог психиатр нарколог стоматолог педиатр лейтенант капитан майор "
    "подполковник полковник сержант "
    "старшин прапорщик участков инспектор следовател дознавател оперуполномоченн оперативник опер судь "
    "прокурор адвокат адвокатк "
    "защитник юрист юристк правозащитник директор директрис завуч начальник замначальник зам заместител "
    "председател депутат комендант "
    "прораб бригадир хозяин хозяйк гражданин гражданк господин госпож сосед соседк муж жен бывш сын доч дочер "
    "брат сестр мать матер "
    "отец отц мам пап бабушк дедушк внук внучк племянник племянниц золовк невестк свекров свекр тёщ тещ тест "
    "подруг подружк друг "
    "парень парн девушк клиент клиентк пациент пациентк заявител заявительниц потерпевш пострадавш осуждённ "
    "осужденн осужден "
    "реактор параюрист соцработник консультант аутрич волонтёр волонтер журналист блогер учител учительниц "
    "преподавател имам мулла "
    "батюшк отец пастор тёт тет дяд тётк тетк баб дед имен некто некий некая мальчик ребёнок ребенок мужчин "
    "женщин нотариус нотариальн "
    "кассир продавец продавщиц администратор менеджер охранник водител таксист сутенёр сутенер кум кума усто "
    "уста муаллим байке эже апа "
    "водитель по-соседству напарник сотрудник сотрудниц специалист эксперт координатор руководител глав примар мэр"
)
_TITLES_EN = (
    "doctor nurse midwife physician surgeon dentist gynecologist gynaecologist psychologist narcologist "
    "lieutenant captain major "
    "colonel sergeant officer inspector investigator judge prosecutor advocate lawyer attorney director "
    "directress principal headmaster "
    "headmistress deputy chairman commander uchastkovy uchastkoviy guard husband wife brother sister son "
    "daughter mother father friend "
    "girlfriend boyfriend partner neighbor neighbour client patient applicant victim convict prisoner reactor "
    "paralegal aunt uncle "
    "grandmother grandfather grandma grandpa colleague coordinator boss chief landlady landlord gospodin "
    "gospođa domnul doamna zoti zonja "
    "paramedic volunteer consultant journalist blogger teacher imam mullah priest pastor notary cashier driver "
    "pimp owner mama baba "
    "boy girl man woman cousin niece nephew son-in-law daughter-in-law mother-in-law sister-in-law "
    "brother-in-law father-in-law "
    "stepfather stepmother interpreter named baby little lad usto opa apa eje baike advokat"
)
_ENDINGS_RU = ("", *"а у ом ем ей е ы и ой ою ого ому ым ая ый ий ую ья ью ь я ю ов ев ами".split())
_NICKNAME = (
    r"позывн\w{2,3}|кличк\w{1,2}|по\sкличке|прозвищ\w{1,2}|погоняло|прозвал\w?|называ\w{1,4}\sсебя|"
    r"известн\w{2,3}\sкак|он\sже|она\sже|"
    r"зовут(?:\s(?:его|её|ее|меня|нас))?|звать|имени|фамили\w{1,2}|представил\w{1,3}(?:\sкак)?|"
    r"nickname(?:d)?|alias|a\.?k\.?a\.?|known\sas|call\ssign|calls?\s(?:him|her|me|himself|herself|myself)|"
    r"name\sis|named|surname"
)


@cache
def titles() -> frozenset[str]:
    """Words for a person's office, kinship or role, in lower case and every case form; a capital after one
    starts a name."""
    russian = {stem + ending for stem in _TITLES_RU.split() for ending in _ENDINGS_RU}
    return frozenset(russian | set(_TITLES_EN.split()))


ABBREVIATED_TITLES = frozenset(
    "mr mrs ms dr prof st sgt lt capt maj col adv insp г-н г-жа гр гр-н гр-ка д-р проф адв инсп зав зам нач уч "
    "ст мл л-т м-р к-н врем пом дир оп подп кап".split()
)
"""Titles that a stop may follow without ending the sentence."""

NICKNAME_BEFORE = re.compile(rf"(?<!\w)(?:{_NICKNAME})[\s:–—-]{{1,3}}[«\"“„'(]?\Z", re.IGNORECASE)
"""Words after which any capitalized word is somebody's name, common word or not."""

_CAPITALIZED = rf"[{UPPER}][^\W\d_]{{2,24}}(?:[-'’ʼ][^\W\d_]{{1,24}})?"
INITIALS = re.compile(
    rf"(?<![\w./-])(?:(?:[{UPPER}]h?\.[ \u00a0]?){{1,3}}(?P<after>{_CAPITALIZED})"
    rf"|(?P<before>{_CAPITALIZED})[ \u00a0](?:[{UPPER}]h?\.[ \u00a0]?){{0,2}}[{UPPER}]h?\.(?!\w)"
    rf"|(?:[{UPPER}]\.[ \u00a0]?){{2,3}}(?!\w))"
)
"""А. Б. Иванов, Иванов А. Б., Зураб К., Н. В. К."""

NOT_INITIALS = frozenset(
    "us un uk eu ps pm am ио те тд тп ип вч сг нэ ia eg ie мп вч си кв эл юл нр тк аи ооо srl doo др дд".split()
)
"""Letters with stops, in lower case, that abbreviate something else."""

KIN_WORD = re.compile(rf"(?<=[ -]){KIN}(?!\w)(?:[ ]{_CAPITALIZED})?", re.IGNORECASE)
"""The word for son or daughter, and the given name after it: Taalaibek *uulu Ermek*."""
BEFORE_KIN = re.compile(rf"(?<!\w)(?:{_CAPITALIZED}[ -]){{1,2}}\Z")
