"""What people call languages and countries in a table: codes and names -> the codes that the software knows.

Names are those of Unicode CLDR 47 in the languages served, with the forms that tables have beside them.
"""

from __future__ import annotations

from functools import cache, lru_cache

from .choosing import usual_names
from .folding import fold_label, without_marks

_REMEMBERED = 1_024  # names; a column has few

# ISO 639-2 (both forms), then names. Bosnian, Croatian and Montenegrin are read as Serbian, as in `nlp.language`.
_LANGUAGES = {
    "en": """eng, english, английский, англ, англійська, engleză, ინგლისური, անգլերեն, ingilis, ingiliscə, ағылшын,
        ағылшынша, англис, англисче, англисӣ, ingliz, inglizcha, инглизча, anglisht, енглески, engleski, англиски""",
    "ru": """rus, russian, русский, рус, російська, rusă, rusește, რუსული, ռուսերեն, rusca, орыс, орысша, орус,
        орусча, русӣ, ruscha, русча, rusisht, руски, ruski, русски""",
    "uk": """ukr, ukrainian, украинский, укр, українська, ucraineană, უკრაინული, ուկրաիներեն, ukrayna, украин,
        украинша, украинче, украинӣ, ukrain, ukraincha, украинча, ukrainisht, украјински, ukrajinski, украински""",
    "ro": """ron, rum, mol, mo, romanian, moldovan, румынский, молдавский, румунська, молдовська, română, românește,
        moldovenească, რუმინული, ռումիներեն, rumın, румын, румынча, руминӣ, rumin, rumincha, руминча, rumanisht,
        румунски, rumunski, романски""",
    "ka": """kat, geo, georgian, грузинский, грузинська, georgiană, ქართული, ქართულად, վրացերեն, gürcü, грузин,
        грузинше, грузинче, гурҷӣ, gruzin, gruzincha, грузинча, gjeorgjisht, грузијски, gruzijski, грузиски""",
    "hy": """hye, arm, armenian, армянский, вірменська, armeană, სომხური, հայերեն, erməni, армян, армянша, армянча,
        арманӣ, arman, armancha, арманча, armenisht, јерменски, jermenski, armenski, ерменски""",
    "az": """aze, azerbaijani, azeri, азербайджанский, азербайджанська, azeră, აზერბაიჯანული, ադրբեջաներեն,
        azərbaycan, azərbaycanca, әзірбайжан, әзербайжан, азербайжан, азербайжанча, озарбойҷонӣ, ozarbayjon,
        ozarbayjoncha, озарбайжонча, azerbajxhanisht, азербејџански, azerbejdžanski""",
    "kk": """kaz, kazakh, казахский, каз, казахська, kazahă, ყაზახური, ղազախերեն, qazax, қазақ, қазақша, казак,
        казакча, қазоқӣ, qozoq, qozoqcha, қозоқча, kazakisht, казашки, kazaški, казахстански""",
    "ky": """kir, kyrgyz, kirghiz, киргизский, кыргызский, кырг, киргизька, chirghiză, kârgâză, ყირგიზული, ղրղզերեն,
        qırğız, қырғыз, қырғызша, кыргыз, кыргызча, қирғизӣ, qirg'iz, qirg'izcha, қирғизча, kirgizisht, киргиски,
        kirgiski, kirgiški""",
    "tg": """tgk, tajik, таджикский, тадж, таджицька, tadjică, ტაჯიკური, տաջիկերեն, tacik, тәжік, тәжікше, тажик,
        тажикче, тоҷикӣ, тоҷик, tojik, tojikcha, тожик, тожикча, taxhikisht, таџички, tadžički, таџикистански""",
    "uz": """uzb, uzbek, узбекский, узб, узбецька, uzbecă, უზბეკური, ուզբեկերեն, özbək, өзбек, өзбекше, өзбекче,
        ӯзбекӣ, o'zbek, o'zbekcha, ўзбек, ўзбекча, uzbekisht, узбечки, uzbečki, узбекистански, узбечски""",
    "sq": """sqi, alb, albanian, албанский, албанська, albaneză, ალბანური, ալբաներեն, alban, албан, албанша, албанча,
        албанӣ, albancha, shqip, shqipe, албански, albanski""",
    "sr": """srp, scc, serbian, сербский, сербська, sârbă, sârbește, სერბული, սերբերեն, serb, serbcə, серб, сербше,
        сербче, сербӣ, serbcha, сербча, serbisht, српски, srpski, bs, bos, bosnian, боснийский, боснійська, bosniacă,
        босански, bosanski, boshnjakisht, hr, hrv, croatian, хорватский, хорватська, croată, хрватски, hrvatski,
        kroatisht, cnr, montenegrin, черногорский, чорногорська, muntenegreană, црногорски, crnogorski, malazezisht,
        sh, hbs, bhs, bcms, serbo-croatian, сербохорватский, српскохрватски, srpskohrvatski""",
    "mk": """mkd, mac, macedonian, македонский, македонська, macedoneană, მაკედონური, մակեդոներեն, makedon, македон,
        македонша, македончо, македонча, мақдунӣ, maqedonisht, македонски, makedonski""",
}  # fmt: skip

_WORDS_FOR_LANGUAGE = frozenset(
    usual_names("""
    language, lang, язык, мова, limba, limbă, ენა, լեզու, dili, dil, тілі, тіл, тили, тил, забони, забон, tili, til,
    gjuha, gjuhe, језик, jezik, јазик
""")
)

# ISO 3166-1 alpha-3, then names: short ones, and official ones.
_COUNTRIES = {
    "UA": """ukr, ukraine, украина, україна, ucraina, უკრაინა, ուկրաինա, ukrayna, ukraina, ukrainë, украјина,
        ukrajina""",
    "MD": """mda, moldova, moldavia, молдова, молдавия, republica moldova, republic of moldova, республика молдова,
        республіка молдова, მოლდოვა, մոլդովա, moldaviya, moldavi, молдавија, moldavija""",
    "GE": """geo, georgia, грузия, грузія, საქართველო, վրաստան, gürcüstan, гурҷистон, gruziya, gjeorgji, gjeorgjia,
        грузија, gruzija""",
    "AM": """arm, armenia, армения, вірменія, სომხეთი, հայաստան, հայաստանի հանրապետություն, republic of armenia,
        республика армения, ermənistan, арманистон, armaniston, арменстан, armeni, јерменија, jermenija, armenija,
        ерменија""",
    "AZ": """aze, azerbaijan, азербайджан, azerbaidjan, აზერბაიჯანი, ադրբեջան, azərbaycan, azərbaycan respublikası,
        republic of azerbaijan, азербайджанская республика, республика азербайджан, әзірбайжан, азербайжан,
        озарбойҷон, ozarbayjon, озарбайжон, azerbajxhan, азербејџан, azerbejdžan""",
    "KZ": """kaz, kazakhstan, казахстан, рк, kazahstan, ყაზახეთი, ղազախստան, qazaxıstan, қазақстан, қазақстан
        республикасы, қр, republic of kazakhstan, республика казахстан, казакстан, қазоқистон, qozog'iston,
        қозоғистон, kazakistan, qazaqstan""",
    "KG": """kgz, kyrgyzstan, kyrgyz republic, киргизия, кыргызстан, кыргызская республика, киргизская республика, кр,
        киргизстан, кыргыз республикасы, kârgâzstan, chirghizstan, ყირგიზეთი, ղրղզստան, qırğızıstan, қырғызстан,
        қирғизистон, qirg'iziston, kirgizi, kirgizistan, киргистан, kirgistan""",
    "TJ": """tjk, tajikistan, таджикистан, республика таджикистан, republic of tajikistan, tadjikistan, ტაჯიკეთი,
        տաջիկստան, tacikistan, тәжікстан, тажикстан, тоҷикистон, ҷумҳурии тоҷикистон, tojikiston, тожикистон,
        taxhikistan, таџикистан, tadžikistan""",
    "UZ": """uzb, uzbekistan, узбекистан, республика узбекистан, republic of uzbekistan, უზბეკეთი, ուզբեկստան,
        özbəkistan, өзбекстан, ӯзбекистон, o'zbekiston, o'zbekiston respublikasi, ўзбекистон, ўзбекистон
        республикаси""",
    "AL": """alb, albania, албания, албанія, ალბანეთი, ալբանիա, albaniya, албанија, shqipëri, shqipëria, albanija,
        republika e shqipërisë, republic of albania, республика албания""",
    "BA": """bih, bosnia and herzegovina, bosnia & herzegovina, bosnia-herzegovina, bosnia, босния и герцеговина,
        босния, боснія і герцеговина, bosnia și herțegovina, ბოსნია და ჰერცეგოვინა, բոսնիա և հերցեգովինա, bosniya və
        herseqovina, босния және герцеговина, босния жана герцеговина, босния ва ҳерсеговина, bosniya va gertsegovina,
        босния ва герцеговина, bosnjë-hercegovinë, bosnja dhe hercegovina, bosnje e hercegovine, босна и херцеговина,
        bosna i hercegovina, бих""",
    "ME": """mne, montenegro, черногория, чорногорія, muntenegru, მონტენეგრო, չեռնոգորիա, monteneqro, chernogoriya,
        монтенегро, mal i zi, mali i zi, црна гора, crna gora""",
    "MK": """mkd, north macedonia, macedonia, северная македония, македония, північна македонія, македонія, macedonia
        de nord, ჩრდილოეთ მაკედონია, հյուսիսային մակեդոնիա, şimali makedoniya, солтүстік македония, түндүк македония,
        македонияи шимолӣ, shimoliy makedoniya, шимолий македония, maqedonia e veriut, северна македонија, македонија,
        severna makedonija, sjeverna makedonija, makedonija, republic of north macedonia, fyrom, република северна
        македонија""",
    "RS": """srb, serbia, сербия, сербія, სერბეთი, սերբիա, serbiya, сербија, serbi, србија, srbija, република србија,
        republika srbija, republic of serbia, республика сербия""",
    "RU": """rus, russia, russian federation, россия, рф, российская федерация, росія, rusia, რუსეთი, ռուսաստան,
        rusiya, ресей, русия, rossiya, русија, rusi, rusija""",
}  # fmt: skip


@lru_cache(_REMEMBERED)
def language_called(name: str) -> str | None:
    """The ISO 639-1 code for a code or name of a language, or None. A code may have a region or script: ``ru-RU``.

    Two-letter codes of languages that are not listed here come back as they are: the caller knows which it serves.
    """
    folded = without_marks(fold_label(name))
    if found := _languages().get(folded):
        return found
    code = folded.replace("_", "-").split("-")[0]
    if len(code) == 2 and code.isascii() and code.isalpha():
        return _languages().get(code, code)
    words = [word for word in folded.split() if word not in _WORDS_FOR_LANGUAGE]
    return _languages().get(" ".join(words))


@lru_cache(_REMEMBERED)
def country_called(name: str) -> str | None:
    """The ISO 3166-1 alpha-2 code for a code or name of a country where the software is used, or None."""
    return _countries().get(without_marks(fold_label(name)))


@cache
def _languages() -> dict[str, str]:
    return _by_name({code: f"{code}, {names}" for code, names in _LANGUAGES.items()})


@cache
def _countries() -> dict[str, str]:
    return _by_name({code: f"{code}, {names}" for code, names in _COUNTRIES.items()})


def _by_name(names: dict[str, str]) -> dict[str, str]:
    """Name -> code. Raises ValueError where a name is listed for two, since the second would be lost unseen."""
    found: dict[str, str] = {}
    for code, listed in names.items():
        for name in listed.split(","):
            key = without_marks(fold_label(name))
            if found.setdefault(key, code) != code:
                raise ValueError(f"{key!r} is listed for {found[key]} and for {code}")
    return found
