import { describe, expect, it } from 'vitest';
import type { IncomingIndicator, IndicatorFacts } from '../model/entry.ts';
import { readAttribute } from '../misp/attribute.ts';
import { readEvent } from '../misp/event.ts';
import { spelledOut } from './bare-urls.ts';
import { readObject } from './objects.ts';

function indicator(pattern: string, given: object = {}): IncomingIndicator {
  const read = readObject({
    type: 'indicator',
    id: 'indicator--7d2f4a36-0d5e-4c39-9bd5-0c1f1c0f3a11',
    created: '2026-01-01T00:00:00Z',
    modified: '2026-01-01T00:00:00Z',
    valid_from: '2026-01-01T00:00:00Z',
    pattern_type: 'stix',
    pattern,
    ...given,
  });
  if (!('object' in read) || read.object.kind !== 'indicator') throw new Error('no indicator');
  return read.object;
}

const valuesOf = ({ observables }: IncomingIndicator) => observables.map((one) => one.value);
const both = (rest: string) => [`http://${rest}`, `https://${rest}`];

describe('a URL without a scheme, where both are meant', () => {
  it.each([
    ['a host with a path', "[url:value = 'Evil.example/A.php?q=1']", both('evil.example/A.php?q=1')],
    ['a host alone', "[url:value = 'evil.example']", both('evil.example/')],
    ['a host with a port', "[url:value = 'evil.example:8080/a']", both('evil.example:8080/a')],
    ['an address', "[url:value = '192.0.2.7/gate']", both('192.0.2.7/gate')],
    [
      'the name of pattern_type that some use',
      "[url:value = 'evil.example/a']",
      both('evil.example/a'),
      { pattern_type: 'stix2' },
    ],
    [
      'one beside another with a scheme, in an OR',
      "[url:value = 'evil.example/a' OR url:value = 'ftp://b.example/c']",
      [...both('evil.example/a'), 'ftp://b.example/c'],
    ],
    [
      'two in a list',
      "[url:value IN ('a.example/x', 'b.example/y')]",
      [...both('a.example/x'), ...both('b.example/y')],
    ],
  ])('%s stands for both spellings and nothing else', (_what, pattern, values, given?: object) => {
    const read = indicator(pattern, given);
    const spelled = spelledOut(read);

    expect(valuesOf(spelled)).toEqual(values);
    expect(spelled.refusal).toBeUndefined();
    expect(JSON.parse(spelled.facts) as IndicatorFacts).toEqual({ bare: true, created: expect.any(String) as string });
    expect(spelled.digest).not.toBe(read.digest);
  });

  it('leaves out what cannot be held all the same, and says so', () => {
    const spelled = spelledOut(indicator("[url:value = 'evil.example/a' OR process:name = 'x']"));

    expect(valuesOf(spelled)).toEqual(both('evil.example/a'));
    expect(spelled.refusal).toMatch(/^unsupported/);
    expect((JSON.parse(spelled.facts) as IndicatorFacts).pattern).toContain('process:name');
  });

  it.each([
    ['a scheme without a host', "[url:value = 'mailto:a@evil.example']"],
    ['a user before the host', "[url:value = 'user@evil.example/a']"],
    ['a path alone', "[url:value = '/gate.php']"],
    ['two slashes before the host', "[url:value = '//evil.example/a']"],
    ['words', "[url:value = 'the server at evil.example']"],
    ['a defanged one', "[url:value = 'evil[.]example/a']"],
    ['one with a hidden character', "[url:value = 'evil.example/\u200ba']"],
    ['one that is negated', "[url:value != 'evil.example/a']"],
    ['a part of more than a list can hold', "[url:value = 'evil.example/a' AND file:name = 'x']"],
    ['a longer text than is kept', `[url:value = 'evil.example/${'a'.repeat(1100)}']`],
    ['a value of another kind', "[domain-name:value = 'evil.example/a']"],
    ['one that has a scheme', "[url:value = 'http://evil.example/a']"],
  ])('is not what %s means', (_what, pattern) => {
    const read = indicator(pattern);

    expect(spelledOut(read)).toBe(read);
  });

  it('is read in a MISP attribute, too', () => {
    const event = readEvent({ uuid: '7d2f4a36-0d5e-4c39-9bd5-0c1f1c0f3a11', timestamp: '1767225600', published: true });
    if (!('head' in event) || event.head === undefined) throw new Error('no event');
    const raw = {
      uuid: '8d2f4a36-0d5e-4c39-9bd5-0c1f1c0f3a11',
      type: 'url',
      value: 'evil.example/a',
      to_ids: true,
      timestamp: '1767225600',
    };
    const read = readAttribute(raw, event.head);
    if (!('indicator' in read)) throw new Error('no indicator');

    expect(valuesOf(spelledOut(read.indicator))).toEqual(both('evil.example/a'));
  });
});
