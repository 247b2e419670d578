import { describe, expect, it } from 'vitest';
import { readTags, tagNames } from './tags.ts';

describe('markings in tags', () => {
  it.each<[string, object]>([
    ['tlp:red', { tlp: 'red' }],
    ['TLP:GREEN', { tlp: 'green' }],
    ['Tlp:White', { tlp: 'clear' }],
    ['tlp:amber+strict', { tlp: 'amber+strict' }],
    ['TLP: AMBER + STRICT', { tlp: 'amber+strict' }],
    ['tlp="amber"', { tlp: 'amber' }],
    ['tlp:2.0:amber', { tlp: 'amber' }],
    ['PAP:RED', { pap: 'red' }],
    ['pap:white', { pap: 'clear' }],
  ])('reads %s', (tag, facts) => {
    expect(readTags([tag])).toMatchObject({ ...facts, open: [] });
  });

  it('lets the strictest of event and attribute hold', () => {
    expect(readTags(['tlp:red', 'tlp:clear'], ['tlp:green'])).toMatchObject({ tlp: 'red' });
    expect(readTags(['tlp:clear'], ['TLP:AMBER', 'PAP:AMBER'])).toMatchObject({ tlp: 'amber', pap: 'amber' });
  });

  it.each(['tlp:purple', 'tlp:unclear', 'tlp:', 'PAP:BLUE', 'TLP:r3d'])(
    'keeps out what states a level that we do not know: %s',
    (tag) => {
      expect(readTags([tag, 'tlp:clear']).open).toEqual(['unreadable label']);
    },
  );

  it('takes a level in other words as a label, which opens nothing', () => {
    const facts = readTags(['Marking: TLP RED']);

    expect(facts.tlp).toBeUndefined();
    expect(facts.tlpLabel).toBe('red');
  });

  it.each(['green', 'red team', 'Red Apollo', 'misp-galaxy:tool="Clear"', 'tlphelper'])(
    'reads nothing into %s',
    (tag) => {
      expect(readTags([tag])).toEqual({ open: [], benign: false, statements: [], labels: [tag] });
    },
  );

  it('keeps terms that are no level as statements', () => {
    const facts = readTags([
      'tlp:ex:chr',
      'nato:classification="NS"',
      'euci:R-UE/EU-R',
      'iep2-policy:attribution="must-not"',
    ]);

    expect(facts.open).toEqual([]);
    expect(facts.statements).toEqual([
      'tlp:ex:chr',
      'nato:classification="NS"',
      'euci:R-UE/EU-R',
      'iep2-policy:attribution="must-not"',
    ]);
  });

  it('sees through characters that are not seen', () => {
    expect(readTags(tagNames([{ name: 'tlp:\u200bred\n' }], false))).toMatchObject({ tlp: 'red' });
  });

  it('shows tags with consequences first, since what is shown is cut', () => {
    const many = Array.from({ length: 20 }, (_one, i) => `actor-${i}`);

    for (const said of ['NATO SECRET', `${'x'.repeat(80)} NATO SECRET`])
      expect(readTags([...many, said]).labels[0]).toBe(said);
    expect(readTags([...many, 'tlp:amber', 'exercise:locked-shields="2026"']).labels.slice(0, 3)).toEqual([
      'tlp:amber',
      'exercise:locked-shields="2026"',
      'actor-0',
    ]);
  });
});

describe('other tags with consequences', () => {
  it.each([
    ['exercise:cyber-coalition="2026"', 'data of an exercise'],
    ['Exercise:Locked-Shields', 'data of an exercise'],
    ['misp:ids="false"', 'a tag says that it is not for detection'],
    ['workflow:state="rejected"', "rejected in the partner's workflow"],
    ['retention:expired', 'its retention is over'],
  ])('%s: %s', (tag, refusal) => {
    expect(readTags([tag]).refusal).toBe(refusal);
  });

  it('takes a confirmed false positive for harmless', () => {
    expect(readTags(['false-positive:confirmed="true"']).benign).toBe(true);
    expect(readTags(['false-positive:confirmed="false"', 'false-positive:risk="high"']).benign).toBe(false);
  });

  it('takes the shortest retention, in days', () => {
    expect(readTags(['retention:1y', 'retention:2w'], ['retention:2m']).retentionDays).toBe(14);
  });
});

describe('confidence in tags', () => {
  it.each([
    ['admiralty-scale:source-reliability="b"', 75],
    ['admiralty-scale:information-credibility="5"', 0],
    ['estimative-language:likelihood-probability="very-likely"', 80],
    ['estimative-language:confidence-in-analytic-judgment="moderate"', 55],
    ['misp:confidence-level="rarely-confident"', 25],
    ['MISP:Confidence-Level="Unconfident"', 0],
  ])('%s is %i', (tag, confidence) => {
    expect(readTags([tag]).confidence).toBe(confidence);
  });

  it('is the lowest of several scales', () => {
    expect(
      readTags(['admiralty-scale:source-reliability="a"', 'admiralty-scale:information-credibility="3"']).confidence,
    ).toBe(50);
  });

  it("takes the attribute's word over the event's within one scale", () => {
    expect(
      readTags(['misp:confidence-level="unconfident"'], ['misp:confidence-level="usually-confident"']).confidence,
    ).toBe(75);
  });

  it('is not stated where no scale says anything we know', () => {
    expect(readTags(['misp:confidence-level="very"', 'phishing']).confidence).toBeUndefined();
  });
});

describe('names of tags', () => {
  it("parts the event's from the attribute's", () => {
    const tags = [{ name: 'tlp:red', inherited: 1 }, { name: 'phishing', inherited: 0 }, { name: 'c2' }, 'bare', 7, {}];

    expect(tagNames(tags, false)).toEqual(['phishing', 'c2', 'bare']);
    expect(tagNames(tags, true)).toEqual(['tlp:red']);
  });
});
