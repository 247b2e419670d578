import { describe, expect, it } from 'vitest';
import { chooseVersion } from './versions.ts';

const offer = (...versions: (string | [string, 'deprecated' | 'removed'])[]) =>
  versions.map((one) => {
    const [version, state] = typeof one === 'string' ? [one, 'live'] : one;
    return { version, deprecated: state === 'deprecated', removed: state === 'removed' };
  });

describe('choice of the API version', () => {
  it.each([
    [
      'the newest that is supported',
      offer(['17.0', 'deprecated'], '18.0', '20.0', '19.0'),
      { version: '20.0', api: 'collections', cidr: false },
    ],
    ['networks from 22.0 on', offer('21.0', '22.0'), { version: '22.0', api: 'collections', cidr: true }],
    ['the classic API before 16.0', offer('13.1', '14.0', '15.0'), { version: '15.0', api: 'classic' }],
    ['the newest that we know, where newer ones are offered', offer('25.0', '26.0', '27.0'), { version: '26.0' }],
  ])('takes %s', (_, offered, expected) => {
    const chosen = chooseVersion(offered, undefined, 'q');
    expect(chosen).toMatchObject(expected);
    expect(chosen.warning).toBeUndefined();
  });

  it('takes a deprecated one rather than one it does not know, and says so', () => {
    const chosen = chooseVersion(offer(['26.0', 'deprecated'], '27.0', '28.0'), undefined, 'q');
    expect(chosen).toMatchObject({ version: '26.0', warning: expect.stringContaining('update') });
  });

  it('takes the oldest of a console that knows only newer ones, and says so', () => {
    const chosen = chooseVersion(offer(['26.0', 'removed'], '29.0', '28.0'), undefined, 'q');
    expect(chosen).toMatchObject({ version: '28.0', api: 'collections', warning: expect.stringContaining('newer') });
  });

  it('obeys a pinned one while it is there', () => {
    expect(chooseVersion(offer(['19.0', 'deprecated'], '20.0'), '19.0', 'q')).toMatchObject({
      version: '19.0',
      warning: expect.stringContaining('deprecated'),
    });
    expect(() => chooseVersion(offer(['19.0', 'removed'], '20.0'), '19.0', 'q')).toThrow(
      /19\.0 is not offered.*Leave api_version out/,
    );
  });

  it('refuses a console that is too old', () => {
    expect(() => chooseVersion(offer('6.0', '7.0'), undefined, 'q')).toThrow(/7\.3\.3/);
  });
});
