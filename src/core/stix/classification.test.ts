import { expect, it } from 'vitest';
import { classificationOf, mayBeClassified } from './classification.ts';

it.each([
  ['nato:classification="NU"', 'unclassified'],
  ['NATO:Classification = "nr"', 'restricted'],
  ['nato:classification="NC-A"', 'confidential'],
  ['nato:classification="NS"', 'secret'],
  ['nato:classification=CTS-B', 'top_secret'],
  ['nato:classification="NX"', 'top_secret'],
  ['euci:R-UE/EU-R', 'restricted'],
  ['euci:"C-UE/EU-C"', 'confidential'],
  ['EUCI:s-ue/eu-s', 'secret'],
  ['euci:TS-UE/EU-TS', 'top_secret'],
  ['euci:whatever', 'top_secret'],
  ['NATO SECRET', 'secret'],
  ['Nato-Restricted', 'restricted'],
  ['NATO UNCLASSIFIED', 'unclassified'],
  ['COSMIC TOP SECRET ATOMAL', 'top_secret'],
  ['RESTREINT UE/EU RESTRICTED', 'restricted'],
  ['CONFIDENTIEL UE', 'confidential'],
  ['SECRET UE/EU SECRET', 'secret'],
  ['TRÈS SECRET UE/EU TOP SECRET', 'top_secret'],
  ['This report is NATO CONFIDENTIAL, releasable to nobody', 'confidential'],
  [`${'These are our terms of use. '.repeat(35)}NATO SECRET`, 'secret'],
  ['NR', 'restricted'],
  ['EU-R', 'restricted'],
  ['ＮＡＴＯ ＳＥＣＲＥＴ', 'secret'],
])('%s is %s', (text, level) => {
  expect(classificationOf(['malware', text])).toBe(level);
});

it.each(['secret', 'Secret UEFI rootkit', 'natoexercise', 'tlp:red', 'EU', 'nr 5', 'nato'])(
  '%s states none',
  (text) => {
    expect(classificationOf([text])).toBeUndefined();
  },
);

it('takes the highest of several', () => {
  expect(classificationOf(['NATO UNCLASSIFIED', 'nato:classification="NS"', 'EU-R'])).toBe('secret');
  expect(mayBeClassified('{"labels":["phishing"],"name":"neu"}')).toBe(false);
});
