"""`tierwise notice`: which letter an outcome calls for, what it says, and what it never says."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.notice.conftest import LETTERS, POLICY, Notice


def test_a_refusal_gives_four_reasons_in_order_in_the_customers_words(notice: Notice) -> None:
    found = notice(dscr=0.5, years=0.5, late=True, arrears=True, lawsuits=True, asked=200000)
    assert found.code == 0, found.err
    assert [line for line in found.out.splitlines() if line[:1].isdigit() and line[1:3] == ". "] == [
        "1. Income is insufficient for the amount of credit requested", "2. In business for 0.5 years only",
        "3. Late payments", "4. Tax arrears",
    ]
    assert "We cannot lend you USD 200,000:" in found.out and "write to\nFirst Example Bank." in found.out
    assert "1 July 2026\nF1\nF1 / 2026-07-01 / small loans 2 / " in found.out
    assert "due by 2026-07-20" in found.err


def test_in_chinese(notice: Notice) -> None:
    found = notice("--language", "zh", dscr=0.5)
    assert "1. 收入不足以支持所申请的金额" in found.out and "2026年7月1日" in found.out
    assert "可致函第一示例银行。" in found.out


def test_a_counter_offer_leaves_out_the_item_that_has_no_value(notice: Notice) -> None:
    found = notice(asked=200000)
    assert found.code == 0, found.err
    assert "- Amount USD 100,000 at 7.25%, paid monthly\n" in found.out and "bonus" not in found.out
    assert "But this, until 21 July 2026:" in found.out
    assert "- A bonus of USD 100\n" in notice(asked=200000, years=6).out


def test_prose_whose_value_is_missing_is_no_letter(notice: Notice) -> None:
    text = Path("notices/p.yaml").read_text("utf-8")
    Path("notices/p.yaml").write_text(text.replace("'You have {offer.amount},", "'And {offer.bonus},"), "utf-8")
    found = notice()
    assert found.code == 3 and found.out == ""
    assert "`{offer.bonus}`, which has no value" in found.err and "help: write what a customer may lack" in found.err


def test_what_is_missing_is_asked_for_by_a_date(notice: Notice) -> None:
    found = notice(dscr=None)
    assert "Please send\n\n- The last annual accounts\n\nBy 11 July 2026." in found.out
    both = notice(dscr=None, history={})
    assert "- The last annual accounts\n- Account statements of a year\n" in both.out


def test_papers_are_asked_for_by_the_reason_of_a_referral(notice: Notice) -> None:
    found = notice(history={})
    assert "- Account statements of a year\n" in found.out and "accounts\n" not in found.out


def test_a_refusal_goes_before_what_is_missing(notice: Notice) -> None:
    found = notice(dscr=None, late=True, history={})
    assert "1. Late payments" in found.out and "Please send" not in found.out


def test_what_the_bank_gets_itself_is_asked_of_nobody(notice: Notice) -> None:
    found = notice(bureau=None, asked=50000)
    assert (found.code, found.out) == (0, "")
    assert "no letter: the decision is open for want of `bureau`, which no customer is asked for" in found.err
    assert "a letter is due by 2026-07-20" in found.err


def test_a_referral_calls_for_no_letter(notice: Notice) -> None:
    found = notice("-o", "letter.txt", bureau=9)
    assert (found.code, found.out) == (0, "") and "`refer` calls for no letter, a person decides" in found.err
    assert not Path("letter.txt").exists()
    told = json.loads(notice("--format", "json", bureau=9).out)
    assert told["letter"] is None and "a person decides" in told["why_none"] and told["due"] == "2026-07-20"


@pytest.mark.parametrize("form", ["text", "html", "json"])
def test_bad_data_are_no_letter(notice: Notice, form: str) -> None:
    found = notice("--format", form, asked=-1, owner_score="high")
    assert (found.code, found.out) == (1, "")
    assert "the customer was not decided, so there is no letter: `asked`" in found.err and "help: bad data" in found.err
    assert "high" not in found.err


def test_a_late_letter_is_written_and_told(notice: Notice) -> None:
    assert notice(dscr=0.5, day="2026-07-20").code == 0
    found = notice(dscr=0.5, day="2026-07-21")
    assert found.code == 1 and "1. Income" in found.out and "was due on 2026-07-20, 1 day ago" in found.err


def test_a_clock_without_its_start(notice: Notice) -> None:
    found = notice(dscr=0.5, applied=None)
    assert found.code == 3 and found.out == "" and "--received YYYY-MM-DD" in found.err
    found = notice("--received", "2026-06-30", dscr=0.5, applied=None)
    assert found.code == 0 and "due by 2026-07-30" in found.err
    assert notice("--received", "2026-07-02", dscr=0.5).code == 2


def test_a_clock_that_the_policy_works_out(notice: Notice, tierwise: Any) -> None:
    own = LETTERS.replace("due: {days: 30, after: received}", "due: {by: notice due}")
    Path("notices/p.yaml").write_text(own, "utf-8")
    assert "was due on 2026-06-25, 6 days ago" in notice(dscr=0.5).err
    assert "a letter was due on 2026-06-25" in notice(bureau=9).err
    found = notice(dscr=0.5, applied=None)
    assert (found.code, found.out) == (3, "") and "due by `notice due`, which has no value" in found.err
    assert "a letter" not in notice(bureau=9, applied=None).err


def test_whom_it_goes_to(notice: Notice) -> None:
    found = notice("--to", "Acme {reasons} <b>", "--to", "2 Side\x1b[31m Street", dscr=0.5)
    assert "\nAcme {reasons} <b>\n2 Side\\u{1b}[31m Street\n" in found.out
    page = notice("--to", "Acme <b>", "--format", "html", dscr=0.5).out
    assert "Acme &lt;b&gt;" in page and "<b>" not in page


def test_the_page_needs_nothing_and_runs_nothing(notice: Notice) -> None:
    page = notice("--format", "html", "--language", "zh", asked=200000).out
    assert page.startswith("<!DOCTYPE html>\n<html lang=\"zh-CN\">") and page.count("<li>") == 2
    assert "<ol>\n<li>申请金额超过 USD 100,000</li>\n</ol>" in page
    assert "<script" not in page and "http" not in page and "url(" not in page


def test_as_data_for_the_file(notice: Notice) -> None:
    told = json.loads(notice("--format", "json", dscr=0.5).out)
    assert (told["letter"], told["outcome"], told["customer"]) == ("decline", "decline", "F1")
    assert told["reasons"] == [{"code": "R1", "text": "Income is insufficient for the amount of credit requested"}]
    assert told["policy"]["version"] == "2" and told["policy"]["digest"].startswith(told["reference"].split(" / ")[-1])
    assert told["due"] == "2026-07-20" and told["days_late"] == 0 and "R1" not in told["text"]


def test_the_same_customer_the_same_bytes(notice: Notice) -> None:
    assert notice("--format", "html", dscr=0.5).out == notice("--format", "html", dscr=0.5).out


def test_nothing_personal_protected_or_internal(notice: Notice) -> None:
    kept = ("713", "714", "female", "MISSING", "R1", "R3", "D1", "decline")
    for changed in ({"dscr": 0.5, "late": True}, {"asked": 200000}, {"dscr": None}, {}):
        for form in ("text", "html"):
            out = notice("--format", form, **changed).out
            assert out and not any(word in out for word in kept)


def test_a_language_that_there_is_not(notice: Notice) -> None:
    found = notice("--language", "de")
    assert found.code == 2 and "there are no letters in `de`, choose one of en, zh" in found.err


def test_letters_that_are_not_there(notice: Notice) -> None:
    Path("notices/p.yaml").unlink()
    found = notice()
    assert found.code == 2 and "there are no letters for `p.yaml`" in found.err and "--letters" in found.err
    Path("mine.yaml").write_text(LETTERS, "utf-8")
    assert notice("--letters", "mine.yaml").code == 0


def test_a_file_that_is_no_yaml_is_shown(notice: Notice) -> None:
    Path("bad.yaml").write_text("notice: small loans\nlanguages: [en\n", "utf-8")
    found = notice("--letters", "bad.yaml")
    assert found.code == 2 and "2 | languages: [en\n" in found.err
    found = notice("--letters", "none.yaml")
    assert found.code == 2 and "cannot read `none.yaml`" in found.err and "1 |" not in found.err


def test_letters_alone_are_checked(notice: Notice, tierwise: Any) -> None:
    found = tierwise("notice", "p.yaml", "--check")
    assert (found.code, found.out) == (0, "") and "decline, counter-offer, incomplete, approval in en, zh" in found.err


def wrong(tierwise: Any, old: str, new: str, *, policy: bool = False) -> Any:
    place, text = ("p.yaml", POLICY) if policy else ("notices/p.yaml", LETTERS)
    assert text.count(old) >= 1
    Path(place).write_text(text.replace(old, new, 1), "utf-8")
    return tierwise("notice", "p.yaml", "--check")


@pytest.mark.parametrize("old, new, code, told", [
    ("notice: small loans", "notice: large loans", "E0991", "these letters are those of `large loans`"),
    ("decision: decision", "decision: decison", "E0991", "did you mean `decision`?"),
    ("decision: decision", "decision: own", "E0991", "`own` has no list of outcomes"),
    ("received: applied", "received: asked", "E0991", "no date input `asked`"),
    ("for: [counter]", "for: [conter]", "E0991", "did you mean `counter`?"),
    ("for: [approve]", "for: [approve, decline]", "E0991", "the outcome `decline` is named twice"),
    ("for: [dscr]", "for: [dsr]", "E0991", "did you mean `dscr`?"),
    ("ours: [bureau]", "ours: [bureau, dscr]", "E0991", "`dscr` is named twice"),
    ("reasons: [R7]", "reasons: [R9]", "E0991", "gives no reason `R9`"),
    ("percentages: [offer.rate]", "percentages: [way]", "E0991", "no number `way`"),
    ("  equal credit:", "  reasons:", "E0991", "is called like a slot"),
    ("{asked}", "{askd}", "E0992", "did you mean `{asked}`?"),
    ("{asked}", "{asked + 1}", "E0992", "no slot is called `asked + 1`"),
    ("{asked}", "{asked", "E0992", "the brace `{` is alone"),
    ("We cannot lend you {asked}:", "For {reasons} no:", "E0992", "`{reasons}` is a list"),
    ("write to {creditor name}", "write to {equal credit}", "E0992", "no slot is called `equal credit`"),
    ("{asked}", "{owner score}", "E0993", "the input `owner score` is personal"),
    ("{asked}", "{owner gender}", "E0993", "the input `owner gender` is protected"),
    ("{asked}", "{own}", "E0993", "the input `owner score` is personal"),
    ("  monthly: {en: monthly, zh: 按月}\n", "", "E0993", "would show the code `monthly`"),
    ("        {reasons}\n\n        {equal credit}\n      zh", "        {equal credit}\n      zh", "E0994",
     "the letter `decline` does not say `{reasons}` in `en`"),
    ("  {reference}\n", "", "E0994", "does not say `{reference}`"),
    (", until {reply by}", "", "E0994", "the letter `counter-offer` does not say `{reply by}` in `en`"),
    ("zh: 审批结果通知", "de: Bescheid", "E0994", "`subject` has no text in `zh`"),
    ("languages: [en, zh]", "languages: []", "E0994", "in no language"),
    ("        {equal credit}\n      zh: |\n        未能批准 {asked}：\n\n        {reasons}\n\n        {equal credit}\n",
     "      zh: |\n        {reasons}\n", "E0994", "no letter says the statement `equal credit`"),
    ("no letter: [refer]\n", "", "E0995", "no letter is for the outcome `refer`"),
    ("ours: [bureau]\n", "", "E0995", "nothing says how to ask for `bureau`"),
    ("bureau", "bureau, nothing", "E0991", "no input or history `nothing`"),
    ("{days: 30, after: received}", "{by: notice de}", "E0991", "did you mean `notice due`?"),
    ("{days: 30, after: received}", "{by: asked}", "E0991", "the policy has no date `asked`"),
    ("{days: 30, after: received}", "{days: 30}", "E0031", "needs `after`"),
    ("{days: 30, after: received}", "{by: notice due, days: 3, after: letter}", "E0035", "has both `by` and `days`"),
    ("days: 30", "days: -1", "E0034", "expected a whole number of days, 0 or more"),
    ("after: received", "after: recieved", "E0033", "did you mean `received`?"),
    ("letters:\n  decline", "letters:\n  declne", "E0030", "did you mean `decline`?"),
])
def test_what_is_wrong_with_letters_is_told_at_its_place(
    notice: Notice, tierwise: Any, old: str, new: str, code: str, told: str
) -> None:
    found = wrong(tierwise, old, new)
    assert found.code == 2 and found.out == ""
    assert f"error[{code}]" in found.err and told in found.err
    assert "--> notices/p.yaml:" in found.err
    assert found.err.count("help:") == found.err.count("error[") - found.err.count("error[E0034]")


def test_without_a_letter_that_asks(notice: Notice, tierwise: Any) -> None:
    start, end = LETTERS.index("  incomplete:\n"), LETTERS.index("  approval:\n")
    found = wrong(tierwise, LETTERS[start:end], "")
    assert found.code == 2 and "an application can lack `dscr`, `bureau`, `statements`, and no letter asks" in found.err


@pytest.mark.parametrize("old, new, code, told", [
    ("zh: 有逾期记录, ", "", "E0995", "the reason `R3` has no text in `zh`"),
    ("text: Late payments", "text: 'Late, {owner score}'", "E0993", "the reason `R3` shows the personal input"),
    ("text: Late payments", "text: 'Late, {doubled score}'", "E0993", "the reason `R3` shows the personal input"),
    ("text: Late payments", "text: 'Late, {seen}'", "E0995", "the reason `R3` shows `seen`, which no rule reads"),
    ("text: Late payments", "text: 'Late, {way}'", "E0993", "the reason `R3` shows codes such as `monthly`"),
    ("then: decline, reason: R3", "then: decline", "E0995", "the rule `D3` gives no reason for `decline`"),
])
def test_what_a_policy_lacks_for_letters(
    notice: Notice, tierwise: Any, old: str, new: str, code: str, told: str
) -> None:
    found = wrong(tierwise, old, new, policy=True)
    assert found.code == 2 and f"error[{code}]" in found.err and told in found.err
    assert "help:" in found.err


def test_a_notice_text_mends_it(notice: Notice, tierwise: Any) -> None:
    more = "text: 'Late, {owner score}', notice: {en: Late payments}"
    assert wrong(tierwise, "text: Late payments", more, policy=True).code == 0


def test_a_refusal_whose_reasons_are_all_inherited_and_empty(notice: Notice, tierwise: Any) -> None:
    text = POLICY.replace("then: decline, reason: R3}", "then: decline, reasons: from standing}").replace(
        "risk:\n",
        "risk:\n  standing:\n    values: [good, bad]\n    rules:\n      - {rule: S1, when: 'late', then: bad}\n"
        "      - {rule: S2, when: 'years < 0', then: bad, reason: R3}\n      - otherwise: good\n")
    Path("p.yaml").write_text(text, "utf-8")
    found = notice(late=True)
    assert found.code == 3 and "`decline` has no reason that a letter could give" in found.err
