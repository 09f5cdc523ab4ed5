"""How exports call what the contract has columns for; near names are proposed, never taken."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence

from cxlib.data.contract import TABLES, Table

CLOSE = 0.84
#: Names of what one piece costs.
PRICE = re.compile(r"price|単価|価格", re.IGNORECASE)
WORDS: dict[str, tuple[str, ...]] = {
    "customer_id": (
        *("customer id", "customer", "user id", "client id", "member id", "account id", "contact id"),
        *("account", "company id", "associated company ids", "email", "email address", "mail", "お客様番号"),
        *(
            "会員id",
            "会員番号",
            "顧客id",
            "顧客番号",
            "顧客コード",
            "メールアドレス",
            "ユーザーid",
            "取引先id",
        ),
        *("客番", "得意先コード", "ユーザid", "kundennummer", "kunden nr"),
    ),
    "first_seen_on": (
        *("created at", "create date", "created date", "created time", "registered at", "signup date"),
        *("登録日", "登録日時", "会員登録日", "作成日", "作成日時", "入会日"),
    ),
    "region": ("state", "province", "prefecture", "都道府県", "地域"),
    "gender": ("sex", "性別"),
    "industry": ("業種", "sector"),
    "company_size": ("number of employees", "employees", "従業員数"),
    "acquisition_channel": ("source", "lead source", "original source", "流入元", "獲得経路", "リードソース"),
    "order_id": (
        "order",
        "order no",
        "order number",
        "order name",
        "name",
        "注文番号",
        "注文id",
        "受注番号",
        "受注コード",
        *(
            "受注id",
            "注文コード",
            "オーダー番号",
            "伝票番号",
            "売上id",
            "売上番号",
            "レシート番号",
            "取引番号",
        ),
        *("取引番号", "transaction id", "receipt number", "receipt no", "bon nr", "bestellnummer"),
    ),
    "ordered_at": (
        *("order date", "ordered at", "created at", "purchase date", "processed at", "paid at", "date"),
        *("注文日時", "注文日", "受注日", "受注日時", "購入日", "購入日時", "日付"),
        *("売上日", "売上日時", "取引日", "取引日時", "datum"),
    ),
    "amount": (
        *("total", "total price", "order total", "grand total", "net sales", "sales", "revenue", "price"),
        *("合計", "合計金額", "請求金額", "支払合計", "購入金額", "売上", "金額", "請求合計金額"),
        *("売上金額", "売上高", "受注金額", "商談金額", "umsatz", "betrag"),
    ),
    "quantity": ("qty", "lineitem quantity", "数量", "個数", "購入数量", "点数", "menge"),
    "product": (
        "product name",
        "item",
        "item name",
        "lineitem name",
        "sku",
        "商品名",
        "商品コード",
        "品名",
        "artikel",
    ),
    "category": ("product type", "product category", "vendor", "カテゴリ", "カテゴリー", "商品カテゴリ"),
    "margin": ("gross profit", "profit", "粗利", "利益"),
    "occurred_at": (
        "event timestamp",
        "timestamp",
        "ts",
        "event time",
        "event date",
        "sent at",
        "日時",
        "発生日時",
        "配信日時",
    ),
    "touchpoint": ("event name", "event", "event type", "action", "イベント", "イベント名"),
    "campaign": ("campaign name", "utm campaign", "キャンペーン", "配信名"),
    "page": ("page location", "url", "page url", "ページ"),
    "response_id": ("response", "respondent id", "survey response id", "submission id", "回答id", "回答番号"),
    "answered_at": (
        *(
            "timestamp",
            "submitted at",
            "end date",
            "recorded date",
            "response date",
            "completed at",
            "responded at",
        ),
        *("タイムスタンプ", "回答日時", "回答日"),
    ),
    "nps_score": ("nps", "score", "recommend", "likelihood to recommend", "推奨度", "おすすめ度"),
    "csat_score": ("csat", "satisfaction", "満足度", "総合満足度"),
    "ces_score": ("ces", "effort"),
    "comment": ("comments", "feedback", "reason", "自由記述", "コメント", "理由", "ご意見"),
    "deal_id": ("deal", "record id", "opportunity id", "商談id", "案件id", "案件番号"),
    "created_on": ("create date", "created date", "created time", "created at", "作成日", "作成日時"),
    "closed_on": ("close date", "closing date", "closed at", "クローズ日", "成約日", "受注日", "完了日"),
    "expected_close_on": (
        *("expected close date", "expected close", "estimated close date", "forecast close date"),
        *("完了予定日", "受注予定日", "クローズ予定日", "成約予定日", "予定日"),
    ),
    "is_won": ("won", "result", "outcome", "結果", "勝敗", "受注結果"),
    "stage": ("deal stage", "stage name", "status", "フェーズ", "ステージ", "商談ステージ"),
    "owner": ("deal owner", "opportunity owner", "商談 所有者", "担当者"),
    "ticket_id": (
        "ticket",
        "record id",
        "case number",
        "case id",
        "チケットid",
        "問い合わせ番号",
        "ケース番号",
    ),
    "opened_at": ("created at", "create date", "created date", "opened", "受付日時", "起票日時"),
    "resolved_at": ("closed at", "close date", "solved at", "closed date", "解決日時", "完了日時"),
    "reason": ("category", "type", "種別", "問い合わせ種別"),
    "channel": ("origin", "via", "チャネル", "経路"),
    "month": ("年月", "月"),
}
#: What a question holds, however it is put.
PHRASES = {
    "nps_score": ("薦め", "勧め", "すすめ", "recommend"),
    "ces_score": ("手間", "簡単に", "effort", "easy to"),
    "comment": ("お聞かせください", "ご自由に", "自由記述", "anything else", "why?"),
}


def guess_table(names: Sequence[str]) -> str:
    """Table of the contract whose required columns the names come nearest to.

    Examples
    --------
    >>> guess_table(["注文番号", "注文日時", "合計金額"]), guess_table(["Deal Stage", "Create Date"])
    ('orders', 'deals')
    """

    def fit(table: str) -> float:
        spec = TABLES[table]
        near = {name: ratio for name, (_, ratio) in _nearest(spec, names).items()}
        own = sum(ratio for name, ratio in near.items() if name not in ("customer_id", "amount", "owner"))
        return own + sum(near[name] for name in near if spec.columns[name].required)

    return max(TABLES, key=fit)


def guess_columns(spec: Table, names: Sequence[str]) -> dict[str, str]:
    """Nearest name of a file for each column of a table, as far as one is near; each name is used once.

    Examples
    --------
    >>> guess_columns(TABLES["orders"], ["Order number", "Order date", "Total", "Colour"])
    {'order_id': 'Order number', 'ordered_at': 'Order date', 'amount': 'Total'}
    """
    near = _nearest(spec, names)
    used: dict[str, str] = {}
    for column, (name, _) in sorted(near.items(), key=lambda item: -item[1][1]):
        if name not in used.values():
            used[column] = name
    return {column: used[column] for column in spec.columns if column in used}


def _nearest(spec: Table, names: Sequence[str]) -> dict[str, tuple[str, float]]:
    """Nearest name and how near it is, for columns to which one is."""
    folded = {name: _folded(name) for name in names if name}
    found: dict[str, tuple[str, float]] = {}
    for column in spec.columns:
        words = [_folded(column), *(_folded(word) for word in WORDS.get(column, ()))]
        phrases = PHRASES.get(column, ())
        ratios = {
            name: max(_ratio(word, own) for word in words)
            if not any(phrase in name.lower() for phrase in phrases)
            else CLOSE
            for name, own in folded.items()
        }
        best = max(ratios, key=lambda name: ratios[name], default=None)
        if best is not None and ratios[best] >= CLOSE:
            found[column] = (best, ratios[best])
    return found


def _ratio(word: str, name: str) -> float:
    return difflib.SequenceMatcher(None, word, name).ratio()


def _folded(name: str) -> str:
    """Letters and figures of a name, without what stands in brackets behind it, such as a unit."""
    bare = re.sub(r"(?<=.)[(（\[][^)）\]]*[)）\]]\s*$", "", name)
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", bare)).lower()
