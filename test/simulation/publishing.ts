// What the partners do by themselves: they publish, and they forget without a word.
import { DAY, ipv4, versionAt } from '../builders/store.ts';
import type { Draw } from './draw.ts';
import { PARKED_VALUE } from './expected.ts';
import type { Scene } from './scene.ts';

/** Ends of the URLs that are published: few, so that sources meet, and some that differ in case only. */
const LETTERS = ['x', 'X', 'y', 'Y', 'z', 'w', 'v', 'u'] as const;

export const someUrl = (draw: Draw): string => `http://a.example/${draw.from(LETTERS)}`;

export function publish(scene: Scene): void {
  const { draw } = scene;
  const partner = draw.from(scene.partners);
  const n = 1 + draw.below(4);
  for (let i = 0; i < n; i++) {
    // Few ids and few values, so that versions, sources and slots meet.
    const type = 'url' as const;
    const value = draw.chance(0.04) ? PARKED_VALUE : someUrl(draw);
    partner.publish({
      objectId: `indicator--${partner.name}-${draw.below(14)}`,
      version: versionAt(scene.now + partner.log.length),
      revoked: draw.chance(0.12),
      validFrom: scene.now + (draw.chance(0.15) ? draw.below(DAY) : -DAY),
      ...(draw.chance(0.5)
        ? { validUntil: scene.now + draw.below(10 * DAY) + 1 }
        : { validUntil: scene.now + 15 * DAY }),
      ...(draw.chance(0.1) ? {} : { tlp: draw.from(['green', 'green', 'amber', 'red'] as const) }),
      ...(draw.chance(0.1) ? {} : { confidence: draw.below(101) }),
      ...(draw.chance(0.1) ? { pap: draw.from(['clear', 'amber', 'red'] as const) } : {}),
      ...(draw.chance(0.05) ? { benign: true } : {}),
      observables: draw.chance(0.15) ? [] : draw.chance(0.2) ? [{ type, value }, ipv4('192.0.2.7')] : [{ type, value }],
    });
  }
  scene.trail.note(`publish ${partner.name} ${n}`);
}

/** The partner forgets an object without a word. */
export function vanish(scene: Scene): void {
  const partner = scene.draw.from(scene.partners);
  const [id] = partner.current.keys();
  if (id === undefined || partner.current.get(id)?.revoked === true) return;
  partner.current.delete(id);
  // What is gone is in no page any more; the positions of the others stay.
  partner.log.forEach((one, i) => {
    if (one.objectId === id)
      partner.log[i] = { ...partner.log[i]!, objectId: `indicator--gone-${partner.name}-${i}`, observables: [] };
  });
  scene.trail.note(`vanish ${id}`);
}
