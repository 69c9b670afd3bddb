"""The policies that `tierwise new policy` writes, by language."""
from __future__ import annotations

ENGLISH = """\
# yaml-language-server: $schema={schema}
policy: {name}
version: "0.1"
effective: {{from: 2026-01-01}}
owner: name the team that answers for these rules
currency: CNY
on missing: refer                      # what becomes of a decision that missing data leave open

reasons:                               # every code that a rule names
  R1:
    text: Less than one year in business ({{years trading}} years)
    rank: 10
  R2: {{text: Income does not cover debt service, rank: 5}}

inputs:
  firm id: {{type: string, key: true}}
  annual revenue: {{type: money, range: '>= 0'}}
  years trading: {{type: number, range: '>= 0'}}
  dscr: {{type: number, optional: true}}

segmentation:
  segment:                             # the first rule that holds wins
    values: [new, core, priority]
    rules: |
      id | when                                           || then
      S1 | years trading < 1                              || new
      S2 | annual revenue >= 500万 and years trading >= 3 || priority
      S3 | otherwise                                      || core

service:
  decision:                            # every rule is tried, the worst outcome wins
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: D1
        when: dscr < 1
        then: decline
        reason: R2
      - rule: D2
        when: years trading < 1
        then: refer
        reason: R1
      - otherwise: approve
  limit:
    type: money
    value: if decision = "approve" then 20% * annual revenue else 0
"""

CHINESE = """\
# yaml-language-server: $schema={schema}
policy: {name}
version: "0.1"
effective: {{from: 2026-01-01}}
owner: 写上负责这些规则的团队
currency: CNY
on missing: {{then: 转人工}}               # 数据缺失、无法确定时怎么办

reasons:                               # 规则引用的每个原因代码
  R1:
    text: Less than one year in business
    zh: 经营年限不足一年（{{经营年限}} 年）
    rank: 10
  R2: {{text: Income does not cover debt service, zh: 收入不足以偿还债务, rank: 5}}

inputs:
  企业编号: {{type: string, key: true}}
  年营业收入: {{type: money, range: '>= 0'}}
  经营年限: {{type: number, range: '>= 0'}}
  偿债覆盖率: {{type: number, optional: true}}

segmentation:
  客群:                                # 从上往下，第一条符合的规则生效
    values: [新户, 一般, 优先]
    rules: |
      id | when                                  || then
      S1 | 经营年限 < 1                          || 新户
      S2 | 年营业收入 >= 500万 and 经营年限 >= 3 || 优先
      S3 | otherwise                             || 一般

service:
  审批:                                # 每条规则都试，最差的结果生效
    values: [通过, 转人工, 拒绝]
    order: best first
    worst:
      - rule: D1
        when: 偿债覆盖率 < 1
        then: 拒绝
        reason: R2
      - rule: D2
        when: 经营年限 < 1
        then: 转人工
        reason: R1
      - otherwise: 通过
  额度:
    type: money
    value: if 审批 = "通过" then 20% * 年营业收入 else 0
"""

BEGINNINGS = {"en": ENGLISH, "zh": CHINESE}
