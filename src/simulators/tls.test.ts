import { X509Certificate } from 'node:crypto';
import { type RequestOptions, request } from 'node:https';
import { describe, expect, it } from 'vitest';
import { startTaxii } from './taxii/index.ts';
import { selfSigned } from './tls.ts';

const certificates = selfSigned({ clientName: 'soc-mons' });
const tls = { cert: certificates.cert, key: certificates.key };

function statusOf(url: string, options: RequestOptions): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request(url, { headers: { accept: 'application/taxii+json;version=2.1' }, ...options }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    });
    call.on('error', reject);
    call.end();
  });
}

describe('certificates made at run time', () => {
  it('are for localhost and 127.0.0.1, signed by their authority, valid now', () => {
    const [ca, server] = [new X509Certificate(certificates.ca), new X509Certificate(certificates.cert)];

    expect(server.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1');
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.checkIssued(ca)).toBe(true);
    expect([ca.ca, server.ca]).toEqual([true, false]);
    expect(server.validFromDate.getTime()).toBeLessThan(Date.now());
    expect(server.validToDate.getTime()).toBeGreaterThan(Date.now());
  });

  it('are new each time', () => {
    expect(selfSigned().cert).not.toBe(selfSigned().cert);
  });

  it('let a client in that trusts the authority, and no other', async () => {
    const taxii = await startTaxii({ tls, users: [] });

    const trusting = await statusOf(taxii.discovery, { ca: certificates.ca });
    const distrusting = statusOf(taxii.discovery, {});

    expect(trusting).toBe(200);
    await expect(distrusting).rejects.toThrow(/certificate/);
    await taxii.close();
  });

  it('tell a client by its certificate', async () => {
    const taxii = await startTaxii({
      tls: { ...tls, ca: certificates.ca, requestCert: true, rejectUnauthorized: false },
      users: [{ certificate: 'soc-mons' }],
    });
    const stranger = selfSigned({ clientName: 'soc-mons' }).client;
    const agent = false;

    expect(await statusOf(taxii.discovery, { agent, ca: certificates.ca, ...certificates.client })).toBe(200);
    expect(await statusOf(taxii.discovery, { agent, ca: certificates.ca, ...stranger })).toBe(401);
    expect(await statusOf(taxii.discovery, { agent, ca: certificates.ca })).toBe(401);
    await taxii.close();
  });
});
