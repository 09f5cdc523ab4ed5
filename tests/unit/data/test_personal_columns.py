"""Columns about a person are told by name, whatever the spelling, and by content; others are left alone."""

import pyarrow as pa
import pytest

from cxlib.data.personal_columns import has_personal_name, is_personal

PERSONAL = """First Name|first-name|FirstName|FIRST_NAME|last name|Middle Name|maiden name
Maiden-Name|surname|nickname|Nick Name|name|Name|full_name|Customer Name|Vorname|Nachname
Familienname|Prénom|user_name|display_name|contact|Contact Person|Email Address|E-Mail|email2
RecipientEmail|RecipientFirstName|phone_number|Phone 2|mobile|TEL|Fax|address|Street Address
Address Line 1|zip|ZIP Code|postal code|PLZ|birth_date|BirthDate|Birthday|dateOfBirth|DOB
Geburtsdatum|IP address|IPAddress|ip|Twitter id|X id|Instagram Handle|LINE ID|line_user_id
LocationLatitude|氏名|お名前(姓)|お名前カナ|担当者名|担当者|会員名|フリガナ|ふりがな|LINE名
LINE表示名|ニックネーム|誕生日|生年月日|住所|住所1|郵便番号|電話|電話番号|携帯電話|メールアドレス
連絡先|注文者|お届け先|旧姓|ＴＥＬ|ＦＩＲＳＴ　ＮＡＭＥ|fname|Cust. Name|Buyer Name|DoB|born_on|email_addr
e-mail (work)|telNumber|Ship To|addr1|WhatsApp number|LINE UID|Driving licence|card no|Straße|Telefonnummer
nom de famille|correo electrónico|なまえ|フルネーム|セイ|よみがな|お客さま名|ご担当者様|依頼主名|受取人|メアド
PCアドレス|ユーザー名|本名|名義人|免許証番号|マンション名|会社名・担当者名|営業担当"""
HARMLESS = """product_name|Product Name|category|birth_year|campaign|campaign_name|store_name
company_name|brand_name|event_name|page|region|gender|industry|mail_permission|email_opt_in
has_email|email_count|phone_model|mail_opened|acquisition_channel|language|comment|touchpoint
contact_count|contacted|mobile_app|line|line_items|channel|stage|wave|address_type|tax|text|index
member_since|namespace|income|age|store_id|rename|shipping_fee|full_price|hotel|latency|flat
online|driver_phone_support|home_ownership|household_composition|first_channel|account_name
deadline|lesson|商品名|店舗名|店舗|会社名|カテゴリー名|メール配信|購入回数|年代|職業|性別|都道府県
LINE登録|メール許可|施策名|line_no|電話有無|メール種別|電話回数|郵便局受取|お届け先都道府県|購入者ID|担当者コード|会社名カナ"""


def names(text):
    return [name for line in text.splitlines() for name in line.split("|")]


@pytest.mark.parametrize(
    ("name", "about_a_person"),
    [(name, kind is PERSONAL) for kind in (PERSONAL, HARMLESS) for name in names(kind)],
)
def test_columns_about_a_person_are_told_by_name_in_every_spelling_and_things_are_left_alone(
    name, about_a_person
):
    assert has_personal_name(name) == about_a_person


def column(*cells):
    return pa.chunked_array([pa.array(list(cells))])


OF_A_PERSON = [
    ["a@b.jp", "c@d.example", None],
    ["Taro <taro@b.jp>", "x", "mailto:a@b.jp"],
    ["call me", "090-1234-5678", "later", "a@b.jp", "none", "–"],
    ["+81 90 1234 5678", "03-1234-5678"],
    ["09012345678"] * 3,
    ["(03) 1234-5678", "(555) 123-4567"],
    ["150-0001", "530-0001"],
    ["〒150-0001", "150-0002"],
    ["192.168.0.1", "10.1.2.3"],
    ["2001:db8:0:0:0:0:0:1", "fe80::1:2:3:4:5"],
    ["@taro_y", "@hanako"],
    ["https://twitter.com/taro", "https://x.com/hanako"],
    ["東京都渋谷区神南1-2-3", "大阪府大阪市北区梅田1-1"],
    ["佐藤 太郎", "鈴木花子", "高橋健", "五十嵐 誠", "小鳥遊 優"],
    ["サトウ タロウ", "スズキハナコ", "イガラシ マコト", "ワタナベ　ケン", "モリ サキ"],
    ["Taro Yamada", "Smith, John", "Anna Müller", "Suzuki Hanako", "John Smith"],
    ["ａ＠ｂ．ｊｐ"] * 2,
    ["０９０－１２３４－５６７８", "TEL: 03–1234–5678"],
    ["090ー1234ー5678", "090.1234.5678", "415-555-0123"],
    ["大阪市北区梅田3-1-1", "東京都千代田区丸の内一丁目九番一号"],
    ["12 Main St, Springfield", "Hauptstraße 12", "1 rue de Rivoli"],
    ["4111 1111 1111 1111", "5500-0000-0000-0004"],
    ["35.6586, 139.7454", "34.7025,135.4959"],
    ["さとう たろう", "すずき はなこ", "いがらし まこと", "わたなべ　けん", "もり さき"],
    ["ｻﾄｳ ﾀﾛｳ", "ｽｽﾞｷ ﾊﾅｺ", "ﾜﾀﾅﾍﾞ ｹﾝ", "ﾓﾘ ｻｷ", "ｲﾄｳ ﾒｸﾞﾐ"],
    ["TARO YAMADA", "SUZUKI HANAKO", "JOHN SMITH", "ANNA MILLER", "JIRO ITO"],
    ["Mr. John Roe", "Ms Linda Poe", "Dr. A. Doe", "Frau Anna Loe", "Mrs Jo Foe"],
    ["1980-02-03", "1991-04-05", "2000-01-01", "1975-12-12", "1988-07-07"],
    ["3.2.1980", "05/04/1991", "1-1-2000", "12/12/1975", "07.07.1988"],
    ["昭和55年2月3日", "平成3年4月5日", "H12.1.1", "昭和50年12月12日", "S63.7.7"],
    ["1980/2/3", "1991/04/05", "1960/1/1", "1975/12/12", "1988/7/7"],
    ["19800203", "19910405", "20000101", "19751212", "19880707"],
]
OF_THINGS = [
    ["煎茶 玉露", "番茶", "森永ココア", "玄米茶", "抹茶"],
    ["山口県", "石川県", "福岡県", "東京都", "大阪府"],
    ["Tokyo", "Osaka", "New York", "Berlin", "Paris"],
    ["2024-02-03", "2025-04-05", "2024-01-01", "2025-12-12", "2023-07-07"],
    ["1200", "350", "99", "12", "7"],
    ["gold", "silver", "gold", "bronze", "gold"],
    ["20", "30", "40", "50", "60"],
    ["AB-1234-5678", "CD-2345-6789", "EF-1-2", "GH-3", "IJ-4"],
    ["Green Tea", "Black Coffee", "Earl Grey", "Milk Tea", "Iced Tea"],
    ["令和6年2月3日", "令和7年4月5日", "令和元年6月1日", "R7.1.1", "3.2.2024"],
    ["区分1-2", "区分3-4", "営業区分5-6", "村A", "市外"],
    ["10:30-12:00", "12345678", "8-3-4", "2-3", "AB12"],
    ["write to us at shop", "5 stars", "fine", "ok", "no"],
    [None, None, ""],
]


@pytest.mark.parametrize(
    ("cells", "about_a_person"),
    [(cells, kind is OF_A_PERSON) for kind in (OF_A_PERSON, OF_THINGS) for cells in kind],
)
def test_contents_that_reach_or_name_a_person_are_told_and_things_stay(cells, about_a_person):
    assert is_personal(column(*cells), "remark") == about_a_person


def test_contact_data_anywhere_in_a_long_column_are_seen():
    cells = ["shop"] * 20_000 + [f"m{n}@b.jp" for n in range(20_000)]
    assert is_personal(column(*cells), "remark")


def test_a_yes_or_no_about_mail_is_no_mail_address():
    assert not is_personal(column(*["yes", "no", "yes", "yes", "no"]), "email")
    assert not is_personal(column(True, False), "email")
    assert not is_personal(
        column(*["1950-01-01", "1999-02-03", "1970-05-06", "2001-01-01", "1985-03-03"]), "founded_on"
    )
