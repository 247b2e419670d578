// Answers as MISP gives them: errors by name, message and url, never a 401, and a login page for whoever does not ask for JSON.
import type { SimResponse } from '../server.ts';

export function json(value: unknown, headers: Readonly<Record<string, string>> = {}, status = 200): SimResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
    body: JSON.stringify(value),
  };
}

export function refusal(status: number, message: string, url: string, more: object = {}): SimResponse {
  return json({ ...more, name: message, message, url }, {}, status);
}

export const NO_KEY =
  'Authentication failed. Please make sure you pass the API key of an API enabled user along in the Authorization header.';
export const NO_PERMISSION = 'You do not have permission to use this functionality.';

export const loginPage = (): SimResponse => ({
  status: 200,
  headers: { 'content-type': 'text/html; charset=UTF-8' },
  body: '<!DOCTYPE html><html><head><title>Users - MISP</title></head><body><form>Login</form></body></html>',
});

export const forbiddenByGuard = (): SimResponse => ({
  status: 403,
  headers: { 'content-type': 'text/plain' },
  body: 'Forbidden',
});

const GIB = 1 << 30;

/** A valid answer of about `bytes`, with the same attribute over and over. */
export function hugeAnswer(bytes = GIB): SimResponse {
  return { status: 200, headers: { 'content-type': 'application/json' }, stream: hugeAttributes(bytes) };
}

function* hugeAttributes(bytes: number): Generator<Buffer> {
  const one = JSON.stringify({
    uuid: '00000000-0000-4000-8000-000000000001',
    type: 'ip-dst',
    value: '192.0.2.1',
    to_ids: true,
    timestamp: '1767225600',
    Event: { uuid: '00000000-0000-4000-8000-000000000002' },
  });
  const block = Buffer.from(`${one},`.repeat(1000));
  yield Buffer.from('{"response":{"Attribute":[');
  for (let sent = 0; sent < bytes; sent += block.length) yield block;
  yield Buffer.from(`${one}]}}`);
}
