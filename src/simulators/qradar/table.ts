// What IBM's pages state of the routes: where they exist, what they answer. The simulator serves exactly these,
// `/help/endpoints` lists them, and a test walks every status and code, so that a drift between the two shows.

export interface RouteRow {
  /** Method and path, with parameters in braces. */
  readonly route: string;
  /** First API version that has it. */
  readonly since?: number;
  /** First API version that has it no more. */
  readonly gone?: number;
  /** First API version whose answers carry the Deprecated header. */
  readonly deprecated?: number;
  readonly ok: readonly number[];
  /** HTTP status and unique code of each refusal we rely on. */
  readonly errors: readonly (readonly [number, number])[];
}

const row = (
  route: string,
  ok: readonly number[],
  errors: readonly (readonly [number, number])[] = [],
  more: Partial<RouteRow> = {},
): RouteRow => ({
  route,
  ok,
  errors,
  ...more,
});

const classic = { deprecated: 18 };
const collections = { since: 16 };
const ROOT = '/reference_data_collections';

export const TABLE: readonly RouteRow[] = [
  row('GET /help/versions', [200]),
  row('GET /help/endpoints', [200]),
  row('GET /help/resources', [200]),
  row('GET /system/about', [200]),

  row('GET /reference_data/sets', [200], [], classic),
  row(
    'POST /reference_data/sets',
    [201],
    [
      [409, 1004],
      [422, 1005],
      [422, 8],
      [422, 11],
    ],
    classic,
  ),
  row(
    'GET /reference_data/sets/{name}',
    [200],
    [
      [404, 1002],
      [422, 1005],
      [422, 30],
      [422, 31],
    ],
    classic,
  ),
  row(
    'POST /reference_data/sets/{name}',
    [200],
    [
      [404, 1002],
      [404, 1011],
      [422, 1005],
    ],
    classic,
  ),
  row('DELETE /reference_data/sets/{name}', [202], [[404, 1002]], classic),
  row(
    'DELETE /reference_data/sets/{name}/{value}',
    [200],
    [
      [404, 1002],
      [404, 1003],
    ],
    classic,
  ),
  row(
    'POST /reference_data/sets/bulk_load/{name}',
    [200],
    [
      [400, 1001],
      [404, 1002],
      [422, 1005],
    ],
    { gone: 17 },
  ),
  row(
    'POST /reference_data/sets/bulk_load/{namespace}/{name}/{domain_id}',
    [200],
    [
      [400, 1001],
      [404, 1002],
      [404, 1011],
      [422, 1005],
      [422, 1012],
    ],
    { since: 14, ...classic },
  ),
  row('GET /reference_data/set_delete_tasks/{task_id}', [200], [[404, 1002]], { gone: 17 }),

  row(`GET ${ROOT}/sets`, [200], [[422, 14001]], collections),
  row(
    `POST ${ROOT}/sets`,
    [201],
    [
      [409, 10006],
      [422, 10001],
      [422, 10002],
      [422, 10003],
      [422, 10004],
      [422, 10007],
    ],
    collections,
  ),
  row(
    `GET ${ROOT}/sets/{id}`,
    [200],
    [
      [404, 15000],
      [422, 11],
    ],
    collections,
  ),
  row(
    `POST ${ROOT}/sets/{id}`,
    [200],
    [
      [404, 11001],
      [422, 11002],
      [422, 11003],
      [422, 11004],
    ],
    collections,
  ),
  row(`DELETE ${ROOT}/sets/{id}`, [202], [[404, 12000]], collections),
  row(`GET ${ROOT}/set_delete_tasks/{task_id}`, [200], [[404, 12003]], collections),
  row(`GET ${ROOT}/sets/{id}/dependents`, [202], [[404, 13000]], collections),
  row(`GET ${ROOT}/set_dependents_tasks/{task_id}`, [200], [[404, 13007]], collections),
  row(`GET ${ROOT}/set_dependents_tasks/{task_id}/results`, [200], [[404, 13009]], collections),
  row(
    `GET ${ROOT}/set_entries`,
    [200],
    [
      [422, 24001],
      [422, 24003],
    ],
    collections,
  ),
  row(
    `POST ${ROOT}/set_entries`,
    [201, 200],
    [
      [422, 20001],
      [422, 20002],
      [422, 20003],
      [422, 20004],
      [422, 20005],
      [422, 20006],
      [422, 20007],
      [422, 20008],
      [422, 20009],
    ],
    collections,
  ),
  row(
    `PATCH ${ROOT}/set_entries`,
    [202],
    [
      [422, 23000],
      [422, 23002],
      [422, 23005],
    ],
    collections,
  ),
  row(`GET ${ROOT}/set_entries/{id}`, [200], [[404, 25000]], collections),
  row(
    `POST ${ROOT}/set_entries/{id}`,
    [200],
    [
      [404, 21000],
      [422, 21003],
    ],
    collections,
  ),
  row(`DELETE ${ROOT}/set_entries/{id}`, [204], [[404, 22001]], collections),
  row(`GET ${ROOT}/set_bulk_update_tasks/{task_id}`, [200], [[404, 23001]], collections),
  row(
    `GET ${ROOT}/set_bulk_update_tasks/{task_id}/results`,
    [200],
    [
      [404, 23001],
      [404, 23003],
    ],
    collections,
  ),

  row('GET /ariel/databases', [200]),
  row('GET /ariel/databases/{name}', [200], [[404, 1002]]),
  row('POST /ariel/validators/aql', [200], [[422, 2000]]),
  row('GET /ariel/searches', [200]),
  row(
    'POST /ariel/searches',
    [201],
    [
      [422, 2000],
      [422, 1005],
    ],
  ),
  row('GET /ariel/searches/{search_id}', [200, 206], [[404, 1002]]),
  row(
    'POST /ariel/searches/{search_id}',
    [200],
    [
      [404, 1002],
      [422, 1005],
    ],
  ),
  row('DELETE /ariel/searches/{search_id}', [202], [[404, 1002]]),
  row(
    'GET /ariel/searches/{search_id}/results',
    [200],
    [
      [404, 1002],
      [404, 1003],
    ],
  ),
  row('GET /ariel/searches/{search_id}/metadata', [200], [[404, 1002]]),
  row(
    'GET /siem/offenses',
    [200],
    [
      [422, 1010],
      [422, 1030],
    ],
  ),
];

/** Where a route stands in this API version. */
export function standing(row: RouteRow, version: string): 'none' | 'live' | 'deprecated' | 'gone' {
  const at = Number(version);
  if (at < (row.since ?? 0)) return 'none';
  if (at >= (row.gone ?? Number.POSITIVE_INFINITY)) return 'gone';
  return at >= (row.deprecated ?? Number.POSITIVE_INFINITY) ? 'deprecated' : 'live';
}
