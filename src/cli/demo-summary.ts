// What was armed and what was not, and why, at the end of the demo's story.
import { storeSpec } from '../app/specs.ts';
import { claimSummary } from '../core/store/read/summary.ts';
import type { Context } from './command.ts';
import type { Stage } from './demo-stage.ts';

const MOST_PARKED = 3000;

export function summary({ out }: Context, stage: Stage): void {
  const siems = stage.app.reader.siems();
  const claims = claimSummary(storeSpec(stage.config), 'elastic', stage.app.now());
  const types = [...new Set(siems.flatMap((siem) => Object.keys(siem.byType)))].sort();
  // A parked entry is wanted, and does not stand there.
  const parked = stage.app.reader.parked(MOST_PARKED);
  const isAt = (siem: string, type: string) => (one: { readonly siem: string; readonly type: string }) =>
    one.siem === siem && one.type === type;
  out.line(out.colour('Summary', 'bold'));
  out.table(
    ['ARMED', ...siems.map((siem) => siem.name.toUpperCase())],
    [
      ...types.map((type) => [
        type,
        ...siems.map((siem) => String((siem.byType[type] ?? 0) - parked.filter(isAt(siem.name, type)).length)),
      ]),
      ['in all', ...siems.map((siem) => String(siem.wanted - siem.parked))],
    ],
  );
  const suppressed = stage.app.reader.suppressions(stage.app.now()).length;
  out.line(
    `\n${claims.live} claims of the partners are good now; several may be about one value${suppressed === 0 ? '.' : `, and ${suppressed} value is suppressed.`}\n`,
  );
  out.table(
    ['NOT ARMED', 'CLAIMS', 'WHY'],
    [
      ['expired', String(claims.expired), 'valid_until, or the lifetime for its type, has passed'],
      ['withdrawn', String(claims.revoked), 'the partner revoked it'],
      ...(claims.waiting === 0 ? [] : [['waiting', String(claims.waiting), 'valid_from is still to come']]),
      ...Object.values(claims.refusedAs)
        .sort((a, b) => b.claims - a.claims)
        .map(({ claims: n, reason, otherReasons }) => [
          'refused',
          String(n),
          otherReasons === 0 ? reason : `${reason}, and ${otherReasons} more like it`,
        ]),
      ...siems
        .filter((siem) => siem.parked > 0)
        .map((siem) => ['parked', String(siem.parked), `${siem.name} cannot hold it; see entente parked list`]),
    ],
  );
}
