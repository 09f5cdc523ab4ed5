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
    r"e?_?mails?|(?:e_?)?mail_?(?:address|adresse?)(?:es)?|e_?mail_?(?:addr|adr|hash|id|home|work|private|business)"
    r"|courriel|correo(?:_?electronico)?|tel|telephone|telefon|telefono|mobile|mobile_?phone|cell_?phone|handy|fax"
    r"|phones?|(?:phone|tel|telephone|mobile|cell_?phone|cell|fax)_?(?:no|nr|num|numbers?)"
    r"|(?:telefon|ruf|handy|mobil|fax)_?(?:nummer|nr)"
    r"|addresse?s?|adresse|address_?line|addr|direccion|domicilio|(?:ship|bill|deliver|send)_?to"
    r"|street|strasse|straße|(?:house|building)_?(?:no|nr|number)|haus_?(?:nummer|nr)"
    r"|postcodes?|post_?code|zips?|zip_?codes?|plz|postal_?codes?|code_?postal|postleitzahl"
    r"|(?:first|fore|given|middle|last|family|sur|maiden|christian|full|nick|screen|user|customer|client|cust|contact"
    r"|recipient|buyer|purchaser|payer|payee|sender|addressee|billing|shipping|ship_?to|bill_?to|display|legal|birth"
    r"|person|member|guest|owner|ordered_by|sei|mei|spouse|parent|guardian|login|(?:card_?)?holder)_?names?"
    r"|[fl]_?names?|(?:vor|nach|familien|geburts|spitz)_?name|anrede|salutation|prenom|nombre|apellidos?"
    r"|nom(?:_?de_?famille)?|(?:middle_?)?initials?|nick|login_?id|recipient|addressee|payee|purchaser|card_?holder"
    r"|attn|signed_?by|ansprechpartner"
    r"|furigana|kana|name_?kana|birth_?(?:days?|dates?)|bday|dob|date_?of_?birth|geburts_?(?:datum|tag)"
    r"|born(?:_?(?:on|at|date))?|date_?de_?naissance|fecha_?de_?nacimiento"
    r"|contacts?|contact_?(?:person|info|information|details?)|ip|(?:ip|mac|remote)_?addr(?:ess)?(?:es)?"
    r"|latitude|longitude|lat|lng|lon|gps|coordinates"
    r"|(?:twitter|x|line|instagram|insta|facebook|linkedin|skype|tiktok|youtube|messenger|whats_?app|we_?chat|kakao"
    r"|telegram|viber)_?(?:id|uid|handle|account|name|user|url|user_?id)|(?:whats_?app|viber)_?(?:no|number)"
    r"|twitter|instagram|insta|facebook|linkedin|skype|whats_?app|we_?chat|telegram"
    r"|ssn|social_?security(?:_?(?:no|number))?|national_?(?:id|insurance)(?:_?(?:no|number))?|tax_?id|my_?number"
    r"|passport(?:_?(?:no|number))?|driv(?:ing|ers?)_?licen[cs]e(?:_?(?:no|number))?|credit_?card|(?:cc|card)_?(?:no|number)"
    r"|iban|bank_?account(?:_?(?:no|number))?|avatar|photo_?url|(?:profile|user)_?(?:photo|picture|image|pic)"
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
    r"氏名|姓名|お?名前|なまえ|フルネーム|^姓|^(?:セイ|メイ|シメイ|ヨミ)$|^名$|苗字|名字|担当$|(?:顧客|会員様?|お客(?:様|さま))名"
    r"|(?:担当者|注文者|購入者|依頼主|届け先|送付先|配送先|受取人|代表者|保護者|世帯主|配偶者)(?!の?(?:ID|No|番号|コード))"
    r"|宛名|^宛先|名義|署名|旧姓|本名|通称|愛称|呼び名|ふりがな|フリガナ|よみがな|読み(?:仮名|がな)|カナ$|かな$"
    r"|ニックネーム|あだ名|ハンドル(?:ネーム|名)|表示名|(?:アカウント|ユーザー?|ログイン)名|ログインID|LINE_?(?:名|ID|UID)"
    r"|LINEユーザー?ID|電話|携帯|ケータイ|(?<![A-Za-z])(?:TEL|FAX)(?![A-Za-z_])|ファックス|メール|メアド|連絡先|住所|アドレス"
    r"|番地|丁目|(?:建物|マンション)名|郵便|〒|生年月日|誕生日|誕生年月日|生まれ|マイナンバー|個人番号|免許証|旅券|パスポート"
    r"|保険証|口座|カード番号|アクセス元IP|緯度|経度|位置情報|顔写真|プロフィール(?:画像|写真)"
    r"|ツイッター|Twitter|インスタ|フェイスブック",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"(?:商品|店舗|店|会社|企業|法人|部署|施策|イベント|ページ|ブランド|カテゴリー?|品)名(?:\(?(?:カナ|かな|フリガナ|ふりがな)\)?)?"
    r"|(?:ページ|サイト|URL|ウェブ|Web)アドレス|メール(?:配信|許可|開封|種別|マガジン|クリック)|郵便局"
)
#: What a column is of where it only says something about a way to reach a person.
_ABOUT = re.compile(
    r"(?:有無|可否|数|回数|件数|種別|種類|区分|希望|許諾|許可|同意|配信|開封|フラグ|登録日|機種|キャリア|年代|年齢|性別"
    r"|職業|属性|都道府県\)?|市区町村\)?|地域|エリア|国)$"
)

_HYPHENS = "[‐‑‒–—―−]"
PHONE = (
    r"^\s*'?(?:(?i:tel|phone|mobile|fax|電話|携帯)\.?:? ?)?"
    r"(?:\+\d[\d\-() ]{8,}\d|\(?0[5789]0\)?[- .]?\d{4}[- .]?\d{4}"
    r"|\(?0\d\)?[- ]\d{4}[- ]\d{4}|\(?0\d{2}\)?[- ]\d{3}[- ]\d{4}|\(?0\d{3}\)?[- ]\d{2}[- ]\d{4}"
    r"|\(\d{3}\) ?\d{3}-\d{4}|[2-9]\d{2}[-.][2-9]\d{2}[-.]\d{4})"
    r"(?: ?\(?(?:内線|ext\.?|x) ?\d{1,5}\)?)?\s*$"
)
_CONTACTS = f"{MAIL}|{PHONE}"
_PLACES = (
    r"^\s*〒?\d{3}-\d{4}\s*$|^\s*\d{1,3}(?:\.\d{1,3}){3}\s*$|^\s*[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){5,7}\s*$"
    r"|^\s*@\w{2,}\s*$|(?:twitter|x|facebook|instagram|linkedin)\.com/|\bline\.me/"
    r"|(?:都|道|府|県).{1,10}(?:市|区|町|村|郡).*(?:\d|丁目|番地)"
    r"|(?:市|区|町|村|郡)[\p{Han}\p{Hiragana}\p{Katakana}ー]+\d+(?:丁目|-\d+-\d+)"
    r"|^\s*\d{1,5}[a-z]? (?:\p{Lu}[\p{L}'.]* ){1,3}(?:St|Street|Ave|Avenue|Rd|Road|Blvd|Lane|Drive|Dr|Way)\b"
    r"|\p{L}+(?:straße|strasse|str\.|weg|allee|gasse) \d|^\s*\d{1,4},? (?i:rue|boulevard|avenue|chemin) "
    r"|^\s*-?\d{1,3}\.\d{3,}, ?-?\d{1,3}\.\d{3,}\s*$|^\s*[789]0\d{8}\s*$"
    r"|^\s*(?:4\d|5[1-5]|3[47])\d{2}[- ]?\d{4}[- ]?\d{4}[- ]?\d{4}\s*$"
    r"|^\s*[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}[A-Z0-9]{0,4}\s*$"
)
_FAMILIES = (
    "佐藤|鈴木|高橋|田中|伊藤|渡辺|渡邊|渡邉|山本|中村|小林|加藤|吉田|山田|佐々木|山口|松本|井上|木村|斎藤|斉藤|齋藤|清水"
    "|山崎|池田|橋本|阿部|石川|山下|中島|石井|小川|前田|岡田|長谷川|藤田|後藤|近藤|村上|遠藤|青木|坂本|福田|太田|西村"
)
_KANA = (
    "サトウ|スズキ|タカハシ|タナカ|イトウ|ワタナベ|ヤマモト|ナカムラ|コバヤシ|カトウ"
    "|ヨシダ|ヤマダ|ササキ|ヤマグチ|マツモト|イノウエ|キムラ|ハヤシ|サイトウ|シミズ"
)
_HIRAGANA = (
    "さとう|すずき|たかはし|たなか|いとう|わたなべ|やまもと|なかむら|こばやし|かとう"
    "|よしだ|やまだ|ささき|やまぐち|まつもと|いのうえ|きむら|はやし|さいとう|しみず"
)
_WESTERN = (
    "Sato|Suzuki|Takahashi|Tanaka|Ito|Watanabe|Yamamoto|Nakamura|Kobayashi|Kato|Yoshida|Yamada|Sasaki|Yamaguchi"
    "|Matsumoto|Inoue|Kimura|Hayashi|Saito|Shimizu|Smith|Johnson|Williams|Jones|Miller|Davis"
    "|Müller|Mueller|Schmidt|Schneider|Fischer|Weber|Meyer|Wagner|Becker|Schulz|Hoffmann|Bernard|Dubois"
)
_TITLES = "Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Frau|Mme|Mlle"
_PERSONS = (
    rf"^\s*(?:{_FAMILIES})[\s　]*[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}ー]{{1,4}}\s*(?:様|さん)?\s*$"
    rf"|^\s*(?:{_KANA})[\s　]*\p{{Katakana}}{{2,5}}\s*$"
    rf"|^\s*(?:{_HIRAGANA})[\s　]+\p{{Hiragana}}{{2,5}}\s*$"
    rf"|^\s*(?:(?i:{_WESTERN}),? \p{{Lu}}\p{{L}}+|\p{{Lu}}\p{{L}}+ (?:\p{{Lu}}\.? )?(?i:{_WESTERN}))\s*$"
    rf"|^\s*(?:{_TITLES})\.? \p{{Lu}}[\p{{L}} .'-]+$"
)
_NO_PERSON = r"(?:県|市|区|町|村|駅|店|社|部|課|園)\s*$"
_DAYS = (
    r"^\s*(?:19|20)\d\d[-/.年]?(?:0?[1-9]|1[0-2])[-/.月]?(?:0?[1-9]|[12]\d|3[01])日?"
    r"(?:[T ]00:00(?::00)?)?\s*$"
    r"|^\s*\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d\s*$"
    r"|^\s*(?:昭和|平成|令和|[SHR])\.?(?:\d{1,2}|元)[-/.年]\d{1,2}[-/.月]\d{1,2}日?\s*$"
)
#: Year before the first of an era; of other days the year stands in four digits.
_ERAS = {"昭": 1925, "S": 1925, "平": 1988, "H": 1988, "令": 2018, "R": 2018}
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
    joined = re.sub(r"[^\w]+|_+", "_", wide).strip("_").lower()
    rest = _HARMLESS.sub("", wide.replace(" ", ""))
    if _JAPANESE.search(rest) and not _ABOUT.search(rest):
        return True
    if _OF_A_THING.search(words) or re.search(_FLAGS, words):
        return False
    return any(_NAMES.search(spelling) for spelling in (words, plain, joined))


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
    """Up to 2,000 cells that hold something, from the whole length of the column, in plain width."""
    step = max(1, len(values) // LOOKED_AT)
    seen = values.take(pa.array(range(0, len(values), step))) if step > 1 else values
    seen = seen.drop_null()
    if not pc.all(pc.string_is_ascii(seen)).as_py():
        seen = pc.replace_substring_regex(pc.utf8_normalize(seen, form="NFKC"), _HYPHENS, "-")
        seen = pc.replace_substring_regex(seen, r"(\d{2})ー", r"\1-")
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
    years = sorted(_year(cell.strip()) for cell in days.to_pylist())
    return (
        years[len(years) // 2] < 2006
        and years[int(0.9 * (len(years) - 1))] - years[len(years) // 10] >= ADULT
    )


def _year(day: str) -> int:
    written = re.search(r"(?:19|20)\d\d", day)
    if day[0] not in _ERAS:
        return int(written.group()) if written else 0
    since = re.search(r"\d{1,2}|元", day[1:])
    count = since.group() if since else "0"
    return _ERAS[day[0]] + (1 if count == "元" else int(count))
