// What pages ask of very many rows is answered by an index: a plan says so whatever the pace of the machine.
import { expect, it } from 'vitest';
import { Rig } from '../../../../test/builders/store.ts';

it.each([
  ['records between two moments', 'SELECT seq FROM audit_record WHERE at > 5 AND at <= 7', 'audit_record_at'],
  [
    'what asks for another look',
    'SELECT count(*) FROM suppression WHERE lifted IS NULL AND review IS NOT NULL AND review <= 5',
    'suppression_review',
  ],
  ['what is off for one value', 'SELECT id FROM suppression WHERE type = 0 AND value = 1', 'suppression_value'],
  ['what an exchange was told', 'SELECT 1 FROM outbox WHERE exchange_id = 1 AND state = 5', 'outbox_state'],
])('%s', (_, sql, index) => {
  const plan = new Rig().ask<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`);

  expect(plan.map(({ detail }) => detail).join()).toContain(index);
});
