"""The canonical form: what it looks like, that it is one form, and that it says the same."""
from __future__ import annotations

import os
import warnings
from pathlib import Path
from random import Random

import pytest

from engine.diagnostics import Problem
from engine.format.text import formatted, same_tree
from engine.policy import PolicyError, load_policy
from engine.source.nodes import load_text
from tests.differential.compare import differences
from tests.differential.customers import CustomerMaker, decide
from tests.differential.policies import generate, write

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("TIERWISE_SHARED", ROOT.parent / "shared"))
SEMANTICS = SHARED / "semantics" / "policies"
#: Random policies in `make test`; the nightly run takes a thousand.
RANDOM = int(os.environ.get("TIERWISE_FORMAT_POLICIES", "24"))


def fmt(text: str) -> str:
    """The canonical form, held to be one."""
    once = formatted(text, "policy.yaml")
    assert formatted(once, "policy.yaml") == once
    return once


def holds(text: str) -> bool:
    """Whether a text keeps its tree and reaches one form; False where it has none, being no YAML of ours."""
    try:
        once = formatted(text, "policy.yaml")
    except Problem as problem:
        assert all(d.code != "E0910" for d in problem.diagnostics)
        return False
    assert formatted(once, "policy.yaml") == once
    try:
        before = load_text(text, "policy.yaml")
    except Problem:
        return True                                     # pasted rows that YAML itself does not read
    quoted = any(code in text for code in ("\t", '"', "{", " #"))
    assert quoted or same_tree(before, load_text(once, "policy.yaml"))
    return True


def files(*roots: Path) -> list[Path]:
    return sorted(p for root in roots for p in root.rglob("*.yaml") if p.name != "tierwise.yaml")


@pytest.mark.parametrize("root", ["policies", "tests/corpus/good", "tests/backends"])
def test_every_sound_file_has_one_form(root: str) -> None:
    found = files(ROOT / root)
    assert found
    for path in found:
        text = path.read_bytes().decode("utf-8")
        once = formatted(text, str(path))
        assert formatted(once, str(path)) == once, path
        assert same_tree(load_text(text, "a"), load_text(once, "b")), path


def test_faulty_files_are_formatted_or_left_alone() -> None:
    texts = [p.read_bytes().decode("utf-8", "replace") for p in files(ROOT / "tests" / "corpus" / "bad")]
    assert sum(holds(t) for t in texts) > len(texts) // 2


def test_shared_policies_have_one_form() -> None:
    if not SEMANTICS.is_dir():
        pytest.skip("the shared semantics cases are not here")
    for path in files(SEMANTICS):
        assert holds(path.read_text("utf-8"))


def test_shipped_policies_are_in_their_form() -> None:
    for path in files(ROOT / "policies"):
        text = path.read_text("utf-8")
        assert formatted(text, str(path)) == text, f"run `tierwise fmt {path}`"


@pytest.mark.parametrize("block", range(4))
def test_random_policies_decide_as_before(block: int, tmp_path: Path) -> None:
    count = max(RANDOM // 4, 1)
    for seed in range(50_000 + block * count, 50_000 + (block + 1) * count):
        bundle = generate(seed)
        before, after = tmp_path / f"{seed}a", tmp_path / f"{seed}b"
        for folder in (before, after):
            folder.mkdir()
            write(bundle, folder)
        for path in files(after):
            once = fmt(path.read_text("utf-8"))
            assert same_tree(load_text(path.read_text("utf-8")), load_text(once)), (seed, path.name)
            path.write_text(once, "utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            one, other = load_policy(before / "policy.yaml"), load_policy(after / "policy.yaml")
            maker = CustomerMaker(one, Random(seed))
            for _ in range(4):
                customer = maker.make()
                assert differences(decide(one, customer), decide(other, customer)) == [], seed


def _roughened(text: str, random: Random) -> str:
    """The same policy typed carelessly: indented otherwise, bars out of line, comments and blank lines strewn in."""
    out: list[str] = []
    times = random.choice([1, 2, 3])
    block: int | None = None                            # the indentation of the key whose block runs
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        if block is not None and line.strip() and indent <= block:
            block = None
        typed = line.lstrip()
        if block is None:
            if typed[:1].isalpha() and (": " in line or line.endswith(":")):
                if random.random() < 0.1:
                    out.append(" " * random.randrange(9) + f"# c{len(out)}")
                if random.random() < 0.1:
                    out += [""] * random.randrange(1, 4)
                if line.endswith(":") and random.random() < 0.3:
                    typed += f"  # c{len(out)}"
            if typed.startswith("- "):
                typed = "-" + " " * (2 * times - 1) + typed[2:]
            if line.endswith(("|", "|-")):
                block = indent
        elif " | " in typed and '"' not in typed and "'" not in typed:
            typed = typed.replace(" | ", random.choice([" |", "  |   ", " | "]))
        out.append(" " * (indent * times) + typed)
    return "\n".join(out)


def _comments(text: str) -> list[str]:
    return sorted(w for w in text.split() if w[:1] == "c" and w[1:].isdigit())


@pytest.mark.parametrize("block", range(2))
def test_careless_typing_comes_to_one_form(block: int, tmp_path: Path) -> None:
    count = max(RANDOM * 2, 1)
    held = 0
    for seed in range(70_000 + block * count, 70_000 + (block + 1) * count):
        folder = tmp_path / str(seed)
        folder.mkdir()
        write(generate(seed), folder)
        for path in files(folder):
            rough = _roughened(path.read_text("utf-8"), Random(seed))
            once = fmt(rough)
            assert same_tree(load_text(rough), load_text(once)), (seed, path.name)
            assert _comments(rough) == _comments(once), (seed, path.name)
            held += 1
    assert held >= count


def test_a_comparison_notices_another_tree() -> None:
    one = load_text("policy: a\nrisk:\n  x:\n    table: |\n      first | a || x\n      T1 | 1 || 2\n")
    other = load_text("policy: a\nrisk:\n  x:\n    table: |\n      first | a || x\n      T1 | 1 || 3\n")
    assert not same_tree(one, other) and same_tree(one, one)


# --- layout ----------------------------------------------------------------------------


def test_indentation_dashes_colons_and_blanks() -> None:
    assert fmt(
        "\n\npolicy : a   \nrisk:\n    tier:\n        values:   [A,B ,  C]\n        rules:\n"
        "        -   rule: R1\n            when: x < 1\n            then: A\n\n\n\n        - otherwise: B\n\n\n"
    ) == (
        "policy: a\nrisk:\n  tier:\n    values: [A, B, C]\n    rules:\n"
        "      - rule: R1\n        when: x < 1\n        then: A\n\n      - otherwise: B\n"
    )


def test_comments_stay_with_what_they_are_about() -> None:
    assert fmt(
        "# top\npolicy: a # name\n\n# of risk\nrisk:      # families\n      # of tier\n      tier:\n"
        "            value: x\n            # last in tier\n      # last in risk\n# last\n"
    ) == (
        "# top\npolicy: a  # name\n\n# of risk\nrisk:      # families\n  # of tier\n  tier:\n"
        "    value: x\n    # last in tier\n  # last in risk\n# last\n"
    )


def test_a_comment_keeps_its_column_while_there_is_room() -> None:
    text = "policy: a                # one\ninputs:\n  名称: {type: string}     # two\n"
    assert fmt(text) == text
    assert fmt(text.replace("policy: a ", "policy:  a")) == text


def test_grids_align_by_width() -> None:
    assert fmt(
        "policy: a\nrisk:\n  评级:\n    table: |\n       first|行业||评级|reasons\n\n       // 注释\n"
        '       T1 |"农业", "工业" || 甲|\n       T2 | - || B | R1\n'
    ) == (
        "policy: a\nrisk:\n  评级:\n    table: |\n      first | 行业           || 评级 | reasons\n\n      // 注释\n"
        '      T1    | "农业", "工业" || 甲   |\n      T2    | -              || B    | R1\n'
    )


def test_scorecards_align() -> None:
    assert fmt(
        "policy: a\nrisk:\n  s:\n    scorecard: |\n      base   500\n      characteristic|bin|points|reason\n"
        "      years in business|< 2|-40|R1\n      |>= 2|5|\n"
    ) == (
        "policy: a\nrisk:\n  s:\n    scorecard: |\n      base 500\n"
        "      characteristic    | bin  | points | reason\n"
        "      years in business | < 2  | -40    | R1\n"
        "                        | >= 2 | 5      |\n"
    )


def test_a_bar_inside_a_string_is_no_bar() -> None:
    text = 'policy: a\nrisk:\n  t:\n    table: |\n      first | a       || t\n      T1    | "x | y" || 1\n'
    assert fmt(text) == text


def test_texts_keep_their_lines() -> None:
    text = (
        "policy: a\ndescription: |+\n  two \n    deep\n\n\nowner: >-\n  folded\n  text\nrisk:\n  x:\n"
        "    value: |2-\n        1 +\n        2\n"
    )
    assert fmt(text) == text


def test_flow_over_lines_moves_as_a_whole() -> None:
    assert fmt("policy: a\ninputs:\n    x: {type: number,\n        range: '>= 0', # so\n    }\n") == (
        "policy: a\ninputs:\n  x: {type: number,\n      range: '>= 0', # so\n  }\n"
    )


def test_line_ends_of_the_first_line_hold() -> None:
    assert formatted("policy: a\r\nowner:  b\n", "x") == "policy: a\r\nowner: b\r\n"
    assert formatted("\ufeffpolicy: a\nowner:  b\r\n", "x") == "policy: a\nowner: b\n"


def test_a_block_that_ends_the_file_without_a_line_end() -> None:
    assert fmt("policy: a\ndescription: |\n   text") == "policy: a\ndescription: |\n  text\n"


def test_keys_over_lines_are_refused() -> None:
    with pytest.raises(Problem) as caught:
        formatted("? policy\n: a\n", "x.yaml")
    assert [d.code for d in caught.value.diagnostics] == ["E0910"]


def test_broken_yaml_is_said_to_be_broken() -> None:
    with pytest.raises(Problem) as caught:
        formatted("policy: a\n  risk: b: c\n", "x.yaml")
    assert caught.value.diagnostics[0].span is not None


# --- quoting ---------------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "safe"), [
    (r'value: "region = \"SH\""', """value: 'region = "SH"'"""),
    ('value: "a + b"', "value: 'a + b'"),
    ('value: "it\'s = 1"', "value: 'it''s = 1'"),
    ('value: "approve"', 'value: "approve"'),           # a name, or a text: not ours to say
    (r'value: "a +\n b"', "value: |-\n      a +\n       b"),
    ("value: 'a + b'", "value: 'a + b'"),
])
def test_unsafe_quoting(typed: str, safe: str) -> None:
    assert fmt(f"policy: a\nrisk:\n  x:\n    {typed}\n") == f"policy: a\nrisk:\n  x:\n    {safe}\n"


def test_an_expression_in_a_flow_mapping_is_quoted() -> None:
    assert fmt("policy: a\nrisk:\n  x: {type: number, value: a + b}\n") == (
        "policy: a\nrisk:\n  x: {type: number, value: 'a + b'}\n")


def test_a_comment_behind_an_expression_goes_above() -> None:
    assert fmt("policy: a\nrisk:\n  x:\n    value: a + b  # the sum\n") == (
        "policy: a\nrisk:\n  x:\n    # the sum\n    value: a + b\n")


def test_plain_data_keeps_its_quotes() -> None:
    text = "policy: \"a\"\nversion: '1.0'\nowner: \"b\\tc\"\n"
    assert fmt(text) == text


# --- pasted rows -----------------------------------------------------------------------

HEAD = "policy: a\nrisk:\n  tier:\n    values: [A, B]\n"


@pytest.mark.parametrize("pasted", [
    "    table: |\nfirst\tscore\ttier\treasons\nT1\t>= 560\tA\t\nT2\t-\tB\tR1\n",
    "    table:\nfirst\tscore\t\ttier\treasons\nT1\t>= 560\t\tA\t\nT2\t-\t\tB\tR1\n",
    "    table: |\n      first\tscore\t||\ttier\treasons\n      T1\t>= 560\t||\tA\t\t\n      T2\t-\t||\tB\tR1\n",
    "    table: |\n      first | score || tier | reasons\nT1\t>= 560\tA\nT2\t-\tB\tR1\n",
])
def test_pasted_rows_become_a_grid(pasted: str) -> None:
    assert fmt(HEAD + pasted + "service:\n  x: {type: number, value: '1'}\n") == HEAD + (
        "    table: |\n      first | score  || tier | reasons\n      T1    | >= 560 || A    |\n"
        "      T2    | -      || B    | R1\nservice:\n  x: {type: number, value: '1'}\n"
    )


def test_a_pasted_scorecard_parameter_and_rules() -> None:
    assert fmt(
        "policy: a\nparameters:\n  rate:\nfrom\tregion\tvalue\n2026-01-01\t\"\"\"SH\"\"\"\t3%\n"
        "risk:\n  s:\n    scorecard:\nbase\t500\t\t\n"
        "characteristic\tbin\tpoints\treason\nyears\t< 2\t-40\tR1\n\t>= 2\t5\t\n"
        "  r:\n    rules:\nid\twhen\tthen\nS1\tyears < 1\tnew\n"
    ) == (
        'policy: a\nparameters:\n  rate: |\n    from       | region || value\n    2026-01-01 | "SH"   || 3%\n'
        "risk:\n  s:\n    scorecard: |\n      base 500\n      characteristic | bin  | points | reason\n"
        "      years          | < 2  | -40    | R1\n                     | >= 2 | 5      |\n"
        "  r:\n    rules: |\n      id | when      || then\n      S1 | years < 1 || new\n"
    )


def test_rows_pasted_under_the_table_of_a_parameter() -> None:
    assert fmt(
        "policy: a\nparameters:\n  cap:\n    type: money\n    table:\nfrom\tvalue\n2026-01-01\t500\n\nrisk:\n"
        "  s:\n    values: [x]\n"
    ) == (
        "policy: a\nparameters:\n  cap:\n    type: money\n    table: |\n      from       || value\n"
        "      2026-01-01 || 500\n\nrisk:\n  s:\n    values: [x]\n"
    )


def test_tabs_in_prose_are_left() -> None:
    text = "policy: a\ndescription: |\n  one\ttwo\nparameters:\n  p: |\n    a note\n    x\ty\n"
    assert fmt(text) == text


def test_pasted_rows_without_a_certain_place_for_the_bars_are_left() -> None:
    text = HEAD + "    table: |\n      first\tscore\tresult\n      T1\t1\tA\n"
    assert fmt(text) == text


def test_policies_that_do_not_load_stay_so(tmp_path: Path) -> None:
    place = tmp_path / "p.yaml"
    place.write_text(fmt("policy: a\nversion: '1'\neffective: {from: 2026-01-01}\nrisk:\n  x:\n    value: yeers\n"))
    with pytest.raises(PolicyError):
        load_policy(place)
