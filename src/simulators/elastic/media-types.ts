// Which media types each product and major version takes, and what it answers with.
import { ElasticError } from './errors.ts';

export interface Product {
  readonly kind: 'elasticsearch' | 'opensearch';
  readonly version: string;
  readonly major: number;
}

const VENDOR = /application\/vnd\.elasticsearch\+(json|x-ndjson|yaml|smile|cbor)\s*;\s*compatible-with=(\d+)/i;
const PLAIN = /^\s*(application\/(json|x-ndjson|yaml|smile|cbor)|\*\/\*)\s*(;|$)/i;

/** Checks both headers; the content type of the answer. */
export function negotiate(product: Product, headers: Readonly<Record<string, string>>, hasBody: boolean): string {
  const accept = headers['accept'];
  const content = headers['content-type'];
  if (product.kind === 'opensearch') {
    if (hasBody && (content === undefined || !PLAIN.test(content))) throw unsupported(content);
    return 'application/json; charset=UTF-8';
  }
  const wanted = accept === undefined ? null : VENDOR.exec(accept);
  const sent = content === undefined ? null : VENDOR.exec(content);
  for (const [name, found, header] of [
    ['Accept', wanted, accept],
    ['Content-Type', sent, content],
  ] as const) {
    if (found === null || [product.major, product.major - 1].includes(Number(found[2]))) continue;
    throw mediaType(
      `${name} version must be either version ${product.major} or ${product.major - 1}, but found ${found[2]}. ${name}=${header}`,
    );
  }
  if (hasBody && (wanted === null) !== (sent === null))
    throw mediaType(
      `A compatible version is required on both Content-Type and Accept headers if either one has requested a compatible version. Accept=${accept ?? 'null'}, Content-Type=${content ?? 'null'}`,
    );
  if (hasBody && sent === null && (content === undefined || !PLAIN.test(content))) throw unsupported(content);
  return wanted === null ? 'application/json' : `application/vnd.elasticsearch+json;compatible-with=${wanted[2]}`;
}

/** Thrown where the product answers with a bare text as `error`. */
export class PlainError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

function unsupported(content: string | undefined): PlainError {
  return new PlainError(406, `Content-Type header [${content ?? ''}] is not supported`);
}

function mediaType(reason: string): ElasticError {
  return new ElasticError(
    400,
    'media_type_header_exception',
    'Invalid media-type value on headers [Content-Type, Accept]',
    {
      caused_by: { type: 'status_exception', reason },
    },
  );
}
