// What a row asks of the real Elasticsearch beside the measured traffic: fresh indices, counts, cleaning up.
import { CONTROL_INDEX, INDEX_SETTINGS, indexMappings, templateName } from '../src/connectors/siem/elastic/template.ts';

export const OURS = 'bench-ours';
export const THEIRS = 'bench-theirs';

export class Cluster {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Nothing of an earlier round is left, the writer mark included. */
  async reset(index: string): Promise<void> {
    await this.#ask('DELETE', `/${index}?ignore_unavailable=true`);
    await this.#ask('DELETE', `/_index_template/${templateName(index)}`, undefined, 404);
    await this.#ask('DELETE', `/_component_template/${templateName(index)}`, undefined, 404);
    await this.#ask('DELETE', `/${CONTROL_INDEX}?ignore_unavailable=true`);
  }

  /** The same mapping and settings as the connector makes. */
  async make(index: string): Promise<void> {
    await this.reset(index);
    await this.#ask('PUT', `/${index}`, { settings: INDEX_SETTINGS, mappings: indexMappings('entente:bench') });
  }

  async count(index: string): Promise<number> {
    await this.#ask('POST', `/${index}/_refresh`);
    return ((await this.#ask('GET', `/${index}/_count`)) as { count: number }).count;
  }

  /** Index and delete operations since the index was made. */
  async writes(index: string): Promise<number> {
    const stats = (await this.#ask('GET', `/${index}/_stats/indexing`)) as {
      _all: { primaries: { indexing: { index_total: number; delete_total: number } } };
    };
    const { index_total, delete_total } = stats._all.primaries.indexing;
    return index_total + delete_total;
  }

  async version(): Promise<string> {
    return ((await this.#ask('GET', '/')) as { version: { number: string } }).version.number;
  }

  async #ask(method: string, path: string, body?: unknown, allowed?: number): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok && response.status !== allowed)
      throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }
}
