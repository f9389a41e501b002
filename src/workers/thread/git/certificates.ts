import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

/** Where git's curl and Node.js find further certificate authorities; the last is Debian's bundle. */
const BUNDLES = [
  process.env.GIT_SSL_CAINFO,
  process.env.SSL_CERT_FILE,
  process.env.NODE_EXTRA_CA_CERTS,
  '/etc/ssl/certs/ca-certificates.crt',
];

let known: string[] | undefined;

/** The authorities that Node.js knows and those that git would trust, so that both judge a host alike. */
export function certificateAuthorities(): string[] {
  known ??= [...rootCertificates, ...BUNDLES.flatMap(contentOf)];
  return known;
}

function contentOf(path: string | undefined): string[] {
  try {
    return path ? [readFileSync(path, 'utf8')] : [];
  } catch {
    return []; // there is none on this machine
  }
}
