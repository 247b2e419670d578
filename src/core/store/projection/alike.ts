// SIEMs that judge claims alike: what one of them comes to with an entry holds for the others, so that it is worked out
// once however many SIEMs there are.
import { isDeepStrictEqual } from 'node:util';
import type { SiemSpec } from '../spec/spec.ts';
import type { SiemState } from '../unit/context.ts';

type Terms = Pick<SiemSpec, 'observables' | 'rules'>;

/** For each SIEM the first that judges as it does, perhaps itself. */
export function firstAlike(siems: readonly SiemState[]): ReadonlyMap<SiemState, SiemState> {
  return new Map(siems.map((siem) => [siem, siems.find((other) => areAlike(other.spec, siem.spec)) ?? siem]));
}

/** The name of a SIEM stands in the words of a decision alone. Lists are large, and one object where they are the same. */
export function areAlike(a: Terms, b: Terms): boolean {
  const exchanges = Object.keys(a.rules);
  return (
    isDeepStrictEqual([...a.observables].sort(), [...b.observables].sort()) &&
    isDeepStrictEqual(exchanges.toSorted(), Object.keys(b.rules).sort()) &&
    exchanges.every((exchange) => {
      const [one, other] = [a.rules[exchange]!, b.rules[exchange]!];
      return (
        one.intake.neverBlock === other.intake.neverBlock &&
        isDeepStrictEqual(one.lifetime, other.lifetime) &&
        isDeepStrictEqual(plain(one.intake), plain(other.intake))
      );
    })
  );
}

const plain = (intake: Terms['rules'][string]['intake']): object => ({ ...intake, siem: '', neverBlock: undefined });
