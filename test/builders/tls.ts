// A certificate for 127.0.0.1 that signs itself, for simulators in tests. It protects nothing.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The certificate as a file, for `tls.ca_file`. */
export const LOOPBACK_CERT_FILE = fileURLToPath(new URL('./tls/loopback.cert.pem', import.meta.url));

export const loopbackTls = {
  cert: readFileSync(LOOPBACK_CERT_FILE, 'utf8'),
  key: readFileSync(new URL('./tls/loopback.key.pem', import.meta.url), 'utf8'),
};
