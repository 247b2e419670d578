import { errors } from '@elastic/elasticsearch';
import { describe, expect, it } from 'vitest';
import type { Change } from '../../../core/contracts/siem-connector.ts';
import { entryKey } from '../../../core/model/observable.ts';
import { translate } from './failures.ts';
import { notTaken, readBulk, settleConflict, settleFailed } from './responses.ts';

const upsert = (value: string): Change => ({
  op: 'upsert',
  key: entryKey('domain-name', value),
  slot: `id-${value}`,
  revision: 10,
});
const remove = (value: string): Change => ({ ...upsert(value), op: 'remove' });

const read = (change: Change, item: Record<string, unknown>) => {
  const answer = {
    errors: true,
    items: [{ [change.op === 'upsert' ? 'index' : 'delete']: { _id: change.slot, ...item } }],
  };
  return readBulk(answer, [change], 'logs-ti_x');
};

it.each([
  [502, true],
  [429, false],
])('a whole call that is answered %s may have been carried out: %s', (statusCode, uncertain) => {
  const meta = {} as errors.ResponseError['meta']['meta'];
  const error = new errors.ResponseError({ statusCode, headers: {}, body: {}, warnings: null, meta });

  expect(translate(error, 'siem', 'writing', 0)).toMatchObject({ status: statusCode, uncertain });
});

it('a whole call whose answer cannot be read may have been carried out', () => {
  const error = new errors.DeserializationError('Unexpected end of JSON input', '{"errors":');

  expect(translate(error, 'siem', 'writing', 0)).toMatchObject({ kind: 'retryable', uncertain: true });
});

describe('one element of a bulk answer', () => {
  it.each([200, 201])('%s is applied', (status) => {
    expect(read(upsert('a.example'), { status }).outcomes).toEqual([{ key: 'domain-name|a.example', kind: 'applied' }]);
  });

  it('404 for a removal is applied: the document is not there', () => {
    expect(read(remove('a.example'), { status: 404 }).outcomes).toMatchObject([{ kind: 'applied' }]);
  });

  it.each([
    [400, 'document_parsing_exception', 'permanent'],
    [400, 'illegal_argument_exception', 'permanent'],
    [403, 'security_exception', 'config'],
    [403, 'cluster_block_exception', 'config'],
    [429, 'cluster_block_exception', 'config'],
    [404, 'index_not_found_exception', 'config'],
    [429, 'es_rejected_execution_exception', 'retryable'],
    [429, 'circuit_breaking_exception', 'retryable'],
    [503, 'unavailable_shards_exception', 'retryable'],
    [500, 'some_exception', 'retryable'],
  ])('%s %s is %s', (status, type, kind) => {
    const { outcomes } = read(upsert('a.example'), { status, error: { type, reason: 'because' } });

    expect(outcomes).toMatchObject([
      { kind: 'failed', failure: { kind, message: expect.stringContaining('because') } },
    ]);
  });

  it('a missing index is no removal', () => {
    const { outcomes } = read(remove('a.example'), { status: 404, error: { type: 'index_not_found_exception' } });

    expect(outcomes).toMatchObject([{ kind: 'failed', failure: { kind: 'config' } }]);
  });

  it('a document in the failure store was not written, whatever the status says', () => {
    const { outcomes } = read(upsert('a.example'), { status: 201, failure_store: 'used' });

    expect(outcomes).toMatchObject([{ kind: 'failed', failure: { kind: 'config' } }]);
  });

  it('keeps a long reason short and free of control characters', () => {
    const { outcomes } = read(upsert('a.example'), {
      status: 400,
      error: { type: 't', reason: `x\n${'y'.repeat(5000)}` },
    });

    expect(outcomes).toMatchObject([{ failure: { message: expect.not.stringContaining('\n') } }]);
    expect(JSON.stringify(outcomes).length).toBeLessThan(500);
  });
});

describe('a bulk answer as a whole', () => {
  it.each([
    ['nothing', undefined],
    ['a text', '<html>'],
    ['no items', { errors: false }],
    ['too few items', { errors: false, items: [] }],
    ['another document', { items: [{ index: { _id: 'id-other', status: 200 } }] }],
    ['an element without status', { items: [{ index: { _id: 'id-a.example' } }] }],
  ])('with %s is uncertain and tried again', (_, answer) => {
    expect(() => readBulk(answer, [upsert('a.example')], 'logs-ti_x')).toThrow(
      expect.objectContaining({ kind: 'retryable', uncertain: true }),
    );
  });

  it('leaves version conflicts to a comparison with what is stored', () => {
    const answer = {
      errors: true,
      items: [
        { index: { _id: 'id-a.example', status: 201 } },
        {
          index: {
            _id: 'id-b.example',
            status: 409,
            error: { reason: 'version conflict, current version [20] is higher or equal to the one provided [10]' },
          },
        },
      ],
    };

    const { outcomes, conflicts } = readBulk(answer, [upsert('a.example'), upsert('b.example')], 'logs-ti_x');

    expect(outcomes).toHaveLength(1);
    expect(conflicts).toMatchObject([{ change: { slot: 'id-b.example' }, stored: 20 }]);
  });
});

describe('a version conflict', () => {
  const conflict = (change: Change, stored?: number) => ({ change, stored });

  it('is applied when the product holds exactly what was sent', () => {
    expect(settleConflict(conflict(upsert('a.example'), 10), 10)).toMatchObject({ kind: 'applied' });
  });

  it('is superseded when it holds more', () => {
    expect(settleConflict(conflict(upsert('a.example'), 20), 20)).toMatchObject({ kind: 'superseded', revision: 20 });
    expect(settleConflict(conflict(remove('a.example'), 20), 20)).toMatchObject({ kind: 'superseded', revision: 20 });
  });

  it('is superseded by a removal that the product remembers', () => {
    expect(settleConflict(conflict(upsert('a.example'), 20), undefined)).toMatchObject({
      kind: 'superseded',
      revision: 20,
    });
  });

  it('is applied for a removal when the document is gone', () => {
    expect(settleConflict(conflict(remove('a.example'), 20), undefined)).toMatchObject({ kind: 'applied' });
  });

  it('is tried again when the stored version changed meanwhile', () => {
    expect(settleConflict(conflict(upsert('a.example'), 20), 5)).toMatchObject({
      kind: 'failed',
      failure: { kind: 'retryable' },
    });
  });

  it('never takes an entry of the same revision for a removal', () => {
    expect(settleConflict(conflict(remove('a.example'), 10), 10)).toMatchObject({ kind: 'failed' });
  });
});

describe('the answer to a first call', () => {
  it.each([
    ['all of it was taken', 0, { errors: false }],
    ['one was not', 1, { errors: true, items: [{ index: { error: { type: 'document_parsing_exception' } } }] }],
    ['one went into a failure store', 1, { errors: false, items: [{ index: { failure_store: 'used' } }] }],
  ])('tells that %s', (_, count, answer) => {
    expect(notTaken(answer, 'logs-ti_x')).toBe(count);
  });

  it.each([
    ['nothing', undefined],
    ['an empty object', {}],
    ['a text', '<html>'],
    ['no word of errors', { items: [] }],
    ['errors and nobody who has one', { errors: true }],
  ])('that holds %s is uncertain and tried again', (_, answer) => {
    expect(() => notTaken(answer, 'logs-ti_x')).toThrow(
      expect.objectContaining({ kind: 'retryable', uncertain: true }),
    );
  });
});

describe('a change that a second call could not carry out', () => {
  const failed = (change: Change) =>
    ({ key: change.key, kind: 'failed', failure: { kind: 'config', message: 'blocked' } }) as const;

  it.each([
    ['stands there as it was sent', upsert('a.example'), 10, 'applied'],
    ['stands there as it was before', upsert('a.example'), 9, 'failed'],
    ['stands there from somebody else', upsert('a.example'), 11, 'failed'],
    ['is not there', upsert('a.example'), undefined, 'failed'],
    ['is gone, as it should', remove('a.example'), undefined, 'applied'],
    ['is still there', remove('a.example'), 9, 'failed'],
  ] as const)('and %s', (_, change, held, kind) => {
    expect(settleFailed(change, failed(change), held)).toMatchObject({ kind });
  });
});
