"""The codebook for companies that sell to companies, on invented comments of its own kind."""

import pandas as pd
import pytest

from cxlib.data.rules.rule_files import RULES_FOLDER, load_rules
from cxlib.voice.topics.coding import code_comments

#: Comments and what they are about. Whoever wrote the patterns wrote them, too: they hold that topics are
#: told apart, and say nothing of how well comments of others are read.
SAID = {
    "en": [
        ("Going live took two months longer than planned.", "onboarding"),
        ("The kick-off workshop was well prepared.", "onboarding"),
        ("Nobody explained to our staff how to begin, we needed more training.", "onboarding"),
        ("We miss a function to approve several requests at once.", "functions"),
        ("The reporting module is powerful.", "functions"),
        ("I wish it could send reminders automatically.", "functions"),
        ("The screens are cluttered and hard to understand.", "usability"),
        ("Very intuitive, my colleagues understood it at once.", "usability"),
        ("Too many clicks for a simple entry.", "usability"),
        ("The system was down twice last month.", "reliability"),
        ("Error messages every Monday morning.", "reliability"),
        ("Two of ten units were defective.", "reliability"),
        ("The pages are slow to load in the afternoon.", "reliability"),
        ("It does not connect to our ERP.", "integration"),
        ("The CSV import works fine now.", "integration"),
        ("The API saved us a lot of double entry.", "integration"),
        ("Too expensive for what we use.", "price"),
        ("The renewal conditions are not transparent.", "price"),
        ("Licences for occasional users cost too much.", "price"),
        ("Our account manager is always well prepared.", "sales"),
        ("The sales rep never called again after signing.", "sales"),
        ("The proposal showed that they understand our business.", "sales"),
        ("Support answers within the hour.", "support"),
        ("The hotline passed me on three times.", "support"),
        ("A technician was here the next day and solved it.", "support"),
        ("The manual is out of date.", "documents"),
        ("Good videos and release notes.", "documents"),
        ("The case studies helped us to convince our board.", "documents"),
        ("The shipment came a week late.", "delivery"),
        ("Short lead times, always complete.", "delivery"),
        ("Invoices never show our order number.", "billing"),
        ("We would like to pay by purchase order.", "billing"),
        ("Access rights can be set finely, our auditors were content.", "security"),
        ("We trust them with our data.", "security"),
        ("Everything as usual.", None),
        ("No comment.", None),
    ],
    "ja": [
        ("本番稼働まで予定より2か月長くかかった。", "onboarding"),
        ("最初の研修がとても丁寧でした。", "onboarding"),
        ("社内展開の進め方をもっと教えてほしかった。", "onboarding"),
        ("複数の申請を一括登録できるようにしてほしい。", "functions"),
        ("集計の機能が強力です。", "functions"),
        ("ワークフローのカスタマイズが足りない。", "functions"),
        ("画面がごちゃごちゃして見づらい。", "usability"),
        ("直感的に使えて、部下もすぐ慣れました。", "usability"),
        ("操作が複雑すぎる。", "usability"),
        ("先月は2回もシステムが停止した。", "reliability"),
        ("毎週月曜の朝にエラーが出る。", "reliability"),
        ("10個のうち2個が不良品だった。", "reliability"),
        ("午後は表示に時間がかかる。", "reliability"),
        ("基幹システムと連携できない。", "integration"),
        ("CSVの取り込みが楽になった。", "integration"),
        ("二重入力がなくなって助かる。", "integration"),
        ("使う頻度のわりに料金が高い。", "price"),
        ("契約更新の条件が分かりにくい。", "price"),
        ("費用対効果は十分だと思う。", "price"),
        ("営業の方がいつもよく準備してくれる。", "sales"),
        ("担当者が毎年替わり、引き継ぎがない。", "sales"),
        ("提案が当社の業務をよく理解していた。", "sales"),
        ("サポートの回答が早い。", "support"),
        ("窓口でたらい回しにされた。", "support"),
        ("問い合わせたら翌日に解決した。", "support"),
        ("マニュアルが古い。", "documents"),
        ("動画とお知らせが役に立つ。", "documents"),
        ("導入事例が社内の説得に役立った。", "documents"),
        ("納期が1週間遅れた。", "delivery"),
        ("欠品がなく、いつも正確に届く。", "delivery"),
        ("請求書に注文番号が載っていない。", "billing"),
        ("振込以外の支払い方法がほしい。", "billing"),
        ("権限を細かく設定でき、監査にも対応できた。", "security"),
        ("個人情報の扱いが安心できる。", "security"),
        ("いつもどおりです。", None),
        ("特になし", None),
    ],
}


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_comments_of_companies_are_about_what_their_readers_say(lang):
    book = load_rules("topics", RULES_FOLDER / "b2b" / "topics.yml")
    data = pd.DataFrame(SAID[lang], columns=["comment", "topic"]).rename_axis("response_id").reset_index()
    found = set(map(tuple, code_comments(data, book).to_numpy()))
    meant = set(map(tuple, data.loc[data["topic"].notna(), ["response_id", "topic"]].to_numpy()))
    f1 = 2 * len(meant & found) / (len(meant) + len(found))
    assert f1 >= 0.8
    assert {topic.id for topic in book.topics} == {topic for _, topic in meant}


def test_a_company_that_sells_to_companies_gets_its_codebook():
    class Company:
        rule_folders = (RULES_FOLDER / "b2b",)

    own = load_rules("topics", Company())
    shipped = load_rules("topics")
    assert [topic.id for topic in own.topics] != [topic.id for topic in shipped.topics]
    assert own.tone == shipped.tone
