"""Whether a column is about reaching or naming a person, by what it is called and by what it holds."""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from cxlib.checks.near_names import MAIL

LOOKED_AT = 2_000
#: Share of cells from which on contact data make a column personal; a few stray ones do not.
MANY_CONTACTS, MANY_NAMES, MOST = 0.1, 0.15, 0.5
FEW = 5
ADULT = 15

#: Words that end a name of a column about a person, after `First-Name` or `firstName` became `first_name`.
_LAST_WORDS = (
    r"e?_?mails?|(?:e_?)?mail_?(?:address|adresse?)(?:es)?|courriel|correo|phones?|phone_?(?:number|no|nr)|tel|telephone"
    r"|telefon|telefono|mobile|mobile_?(?:number|no|phone)|cell_?phone|handy|fax|addresse?s?|adresse|address_?line"
    r"|street|strasse|postcodes?|post_?code|zips?|zip_?codes?|plz|postal_?codes?|postleitzahl"
    r"|(?:first|fore|given|middle|last|family|sur|maiden|full|nick|screen|user|customer|client|contact|recipient"
    r"|billing|shipping|display|legal|birth|person|member|guest|owner|ordered_by|sei|mei)_?names?"
    r"|(?:vor|nach|familien|geburts|spitz)_?name|anrede|prenom|nombre|apellidos?"
    r"|furigana|kana|name_?kana|birth_?(?:days?|dates?)|bday|dob|date_?of_?birth|geburts_?(?:datum|tag)"
    r"|contacts?|contact_?(?:person|info|information|details?)|ip|ip_?addr(?:ess)?(?:es)?|latitude|longitude|lat|lng|lon"
    r"|(?:twitter|x|line|instagram|facebook|linkedin|skype|tiktok|youtube|messenger)_?(?:id|handle|account|name|user|url|user_?id)"
    r"|twitter|instagram|facebook|linkedin|skype|ssn|passport(?:_?(?:no|number))?|tax_?id|my_?number|credit_?card"
    r"|card_?number|iban|bank_?account"
)
#: Things that have a name, an address or a phone without being a person.
_THINGS = (
    r"product|item|store|shop|campaign|category|event|page|file|brand|channel|segment|survey|plan|project|company"
    r"|account|organi[sz]ation|vendor|stage|pipeline|deal|table|column|branch|site|server|device|model|host|domain"
)
_FLAGS = (
    r"^(?:has|is|n|no_of|num|number_of|count|count_of)_"
    r"|_(?:opt_?ins?|opt_?outs?|permission|consent|count|flag|status|opened|sent|type|model|os|brand)$"
)
_ALONE = r"^(?:name|names|address|x|ip|sei|mei|kana)$"
_NAMES = re.compile(rf"(?:^|_)(?:{_LAST_WORDS})$|{_ALONE}")
_OF_A_THING = re.compile(rf"(?:^|_)(?:{_THINGS})_?(?:names?|address|phone|tel|url)(?:_kana)?$")
_JAPANESE = re.compile(
    r"氏名|姓名|お?名前|^姓|^名$|苗字|名字|担当者?名?$|顧客名|会員名|お客様名|注文者名?|購入者名?|届け先|配送先|宛名|代表者"
    r"|旧姓|ふりがな|フリガナ|カナ$|かな$|ニックネーム|あだ名|ハンドルネーム|表示名|LINE名|LINEID|LINE_ID"
    r"|電話|携帯|ケータイ|(?<![A-Za-z])(?:TEL|FAX)(?![A-Za-z_])|ファックス|メール(?!配信|許可|開封)|Eメール|連絡先|住所|番地|建物名|郵便|〒"
    r"|生年月日|誕生日|生まれ|マイナンバー|保険証|口座|カード番号|IPアドレス|緯度|経度|(?:ツイッター|インスタ|フェイスブック)",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"商品名|店舗名|店名|会社名|企業名|法人名|部署名|施策名|イベント名|ページ名|ブランド名|カテゴリー?名|品名"
)

PHONE = (
    r"^\s*(?:\+\d[\d\-() ]{8,}\d|\(?0[5789]0\)?[- ]?\d{4}[- ]?\d{4}"
    r"|\(?0\d\)?[- ]\d{4}[- ]\d{4}|\(?0\d{2}\)?[- ]\d{3}[- ]\d{4}|\(?0\d{3}\)?[- ]\d{2}[- ]\d{4}"
    r"|\(\d{3}\) ?\d{3}-\d{4})\s*$"
)
_CONTACTS = f"{MAIL}|{PHONE}"
_PLACES = (
    r"^\s*〒?\d{3}-\d{4}\s*$|^\s*\d{1,3}(?:\.\d{1,3}){3}\s*$|^\s*[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){5,7}\s*$"
    r"|^\s*@\w{2,}\s*$|(?:twitter|x|facebook|instagram|linkedin)\.com/"
    r"|(?:都|道|府|県).{1,10}(?:市|区|町|村|郡).*\d"
)
_FAMILIES = (
    "佐藤|鈴木|高橋|田中|伊藤|渡辺|渡邊|渡邉|山本|中村|小林|加藤|吉田|山田|佐々木|山口|松本|井上|木村|斎藤|斉藤|齋藤|清水"
    "|山崎|池田|橋本|阿部|石川|山下|中島|石井|小川|前田|岡田|長谷川|藤田|後藤|近藤|村上|遠藤|青木|坂本|福田|太田|西村"
)
_KANA = (
    "サトウ|スズキ|タカハシ|タナカ|イトウ|ワタナベ|ヤマモト|ナカムラ|コバヤシ|カトウ"
    "|ヨシダ|ヤマダ|ササキ|ヤマグチ|マツモト|イノウエ|キムラ|ハヤシ|サイトウ|シミズ"
)
_WESTERN = (
    "Sato|Suzuki|Takahashi|Tanaka|Ito|Watanabe|Yamamoto|Nakamura|Kobayashi|Kato|Yoshida|Yamada|Sasaki|Yamaguchi"
    "|Matsumoto|Inoue|Kimura|Hayashi|Saito|Shimizu|Smith|Johnson|Williams|Jones|Miller|Davis"
    "|Müller|Mueller|Schmidt|Schneider|Fischer|Weber|Meyer|Wagner|Becker|Schulz|Hoffmann|Bernard|Dubois"
)
_PERSONS = (
    rf"^\s*(?:{_FAMILIES})[\s　]*[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}ー]{{1,4}}(?:様|さん)?\s*$"
    rf"|^\s*(?:{_KANA})[\s　]*\p{{Katakana}}{{2,5}}\s*$"
    rf"|^\s*(?:(?:{_WESTERN}),? \p{{Lu}}\p{{L}}+|\p{{Lu}}\p{{L}}+ (?:\p{{Lu}}\.? )?(?:{_WESTERN}))\s*$"
)
_NO_PERSON = r"(?:県|市|区|町|村|駅|店|社|部|課|園)\s*$"
_DAYS = (
    r"^\s*(?:19|20)\d\d[-/.年]?(?:0?[1-9]|1[0-2])[-/.月]?(?:0?[1-9]|[12]\d|3[01])日?"
    r"(?:[T ]00:00(?::00)?)?\s*$"
)
_FOUNDED = re.compile(r"found|establish|incorporat|opened|since|設立|創業|創立|開業", re.IGNORECASE)


def is_personal(values: pa.ChunkedArray, column: str) -> bool:
    """Whether a column beyond the contract is, by name or content, about reaching or naming a person."""
    if kinds.is_boolean(values.type):
        return False
    if has_personal_name(column):
        return not _holds_flags(values)
    return looks_personal(values) or _looks_like_births(values, column)


def has_personal_name(column: str) -> bool:
    """Whether a column is called like a name, a way to reach a person, or a day of birth.

    Examples
    --------
    >>> [has_personal_name(name) for name in ("First Name", "E-Mail", "birth_date", "担当者名", "LINE名")]
    [True, True, True, True, True]
    >>> [has_personal_name(name) for name in ("product_name", "birth_year", "campaign", "mail_permission")]
    [False, False, False, False]
    """
    wide = unicodedata.normalize("NFKC", column).strip()
    if re.search(_CONTACTS, wide):
        return True
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", wide)
    words = re.sub(r"[^\w]+|_+", "_", words).strip("_").lower()
    words = re.sub(r"(?<=[a-z])_?\d+$", "", words)
    plain = "".join(
        letter for letter in unicodedata.normalize("NFD", words) if not unicodedata.combining(letter)
    )
    if _JAPANESE.search(wide.replace(" ", "")) and not _HARMLESS.search(wide):
        return True
    if _OF_A_THING.search(words) or re.search(_FLAGS, words):
        return False
    return _NAMES.search(words) is not None or _NAMES.search(plain) is not None


def looks_personal(values: pa.ChunkedArray) -> bool:
    """Whether many cells all over the column are contact data or names, or most of them places."""
    if not _is_text(values):
        return False
    seen = _some(values)
    if not len(seen):
        return False
    distinct = pc.count_distinct(seen).as_py() / len(seen)
    return (
        _share(seen, _CONTACTS) > MANY_CONTACTS
        or _share(seen, _PLACES) > MOST
        or (len(seen) >= FEW and distinct > MANY_NAMES and _share(seen, _PERSONS, _NO_PERSON) > MANY_NAMES)
    )


def holds_contacts(values: pa.ChunkedArray) -> bool:
    """Whether many cells all over the column are mail addresses or phone numbers."""
    return _is_text(values) and _share(_some(values), _CONTACTS) > MANY_CONTACTS


def _is_text(values: pa.ChunkedArray) -> bool:
    return bool(kinds.is_string(values.type) or kinds.is_large_string(values.type))


def _some(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Up to 2,000 cells that hold something, from the whole length of the column."""
    step = max(1, len(values) // LOOKED_AT)
    seen = values.take(pa.array(range(0, len(values), step))) if step > 1 else values
    seen = seen.drop_null()
    return seen.filter(pc.not_equal(pc.utf8_trim_whitespace(seen), ""))


def _share(seen: pa.ChunkedArray, pattern: str, but_not: str = "") -> float:
    fits = pc.match_substring_regex(seen, pattern)
    if but_not:
        fits = pc.and_(fits, pc.invert(pc.match_substring_regex(seen, but_not)))
    return float(pc.mean(fits).as_py()) if len(seen) else 0.0


def _holds_flags(values: pa.ChunkedArray) -> bool:
    """Whether a column holds nothing but yes and no, such as `email` for "may be mailed"."""
    seen = _some(values) if _is_text(values) else None
    flags = r"(?i)^\s*(?:true|false|yes|no|y|n|0|1|はい|いいえ)\s*$"
    return seen is not None and len(seen) >= FEW and _share(seen, flags) == 1


def _looks_like_births(values: pa.ChunkedArray, column: str) -> bool:
    """Whether most cells are days, most of them long ago and spread over a generation."""
    if _FOUNDED.search(column):
        return False
    if kinds.is_date(values.type) or kinds.is_timestamp(values.type):
        values = values.cast(pa.date32(), safe=False).cast(pa.string())
    if not _is_text(values):
        return False
    seen = _some(values)
    if len(seen) < FEW or _share(seen, _DAYS) < 0.8:
        return False
    days = seen.filter(pc.match_substring_regex(seen, _DAYS))
    years = sorted(int(cell.strip()[:4]) for cell in days.to_pylist())
    return (
        years[len(years) // 2] < 2006
        and years[int(0.9 * (len(years) - 1))] - years[len(years) // 10] >= ADULT
    )
