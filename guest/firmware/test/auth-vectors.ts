// `node guest/firmware/test/auth-vectors.ts`: makes the signed updates that the test application sends, with new keys that
// are thrown away afterwards. Needs openssl; the result is committed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const GLOBAL = '61dfe48bca93d211aa0d00e098032b8c';
const SECURITY = 'cbb219d73a3d9645a3bcdad00e67656f';
/** The vendor of the test application's own variables. */
const OWN = 'a1432ddb4b7f0e4c9a01020304050607';
const X509 = 'a159c0a5e494a74a87b5ab155c2bf072';
const PKCS7 = '9dd2af4adf68ee498aa9347d375665a7';
const SHA256 = '2616c4c14c509240aca941f936934328';
const OWNER = '00112233445566778899aabbccddeeff';
/** NV, BS, RT, time-based authentication; and with append. */
const AUTHENTICATED = 0x27;
const APPEND = 0x67;

const folder = mkdtempSync(join(tmpdir(), 'systab-vectors-'));
const file = (name: string): string => join(folder, name);
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const openssl = (...args: readonly string[]): void => {
  execFileSync('openssl', args, { stdio: 'ignore' });
};

/** Makes a key and a certificate; self-signed unless there is an issuer. */
const identity = (name: string, issuer?: string): void => {
  const common = ['-newkey', 'rsa:2048', '-nodes', '-sha256', '-subj', `/CN=systab ${name}`];
  const issued =
    issuer === undefined
      ? ['-x509']
      : ['-x509', '-CA', file(`${issuer}.pem`), '-CAkey', file(`${issuer}.key`)];
  openssl(
    ...['req', ...common, ...issued, '-days', '36500'],
    ...['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)],
  );
  openssl('x509', '-in', file(`${name}.pem`), '-outform', 'DER', '-out', file(`${name}.der`));
};

const signatureList = (type: string, ...signatures: readonly Buffer[]): Buffer => {
  const size = 16 + signatures[0]!.length;
  return Buffer.concat([
    hex(type),
    u32(28 + size * signatures.length),
    u32(0),
    u32(size),
    ...signatures.flatMap((signature) => [hex(OWNER), signature]),
  ]);
};
const certificateList = (name: string): Buffer =>
  signatureList(X509, readFileSync(file(`${name}.der`)));
const hashes = (...fill: readonly number[]): Buffer =>
  signatureList(SHA256, ...fill.map((byte) => Buffer.alloc(32, byte)));

interface Update {
  readonly name: string;
  readonly vendor: string;
  readonly attributes?: number;
  /** Minute of the timestamp. */
  readonly minute: number;
  readonly payload: Buffer;
  readonly signer: string;
  /** Certificates besides the signer's. */
  readonly chain?: string;
  readonly signedAttributes?: boolean;
}

/** The data of SetVariable: descriptor, signature, payload. */
const update = (options: Update): Buffer => {
  const time = Buffer.alloc(16);
  time.writeUInt16LE(2024);
  time.set([1, 1, 0, options.minute, 0], 2);
  const attributes = u32(options.attributes ?? AUTHENTICATED);
  const name = Buffer.from(options.name, 'utf16le');
  writeFileSync(
    file('content'),
    Buffer.concat([name, hex(options.vendor), attributes, time, options.payload]),
  );
  openssl(
    ...['smime', '-sign', '-binary', '-md', 'sha256', '-outform', 'DER'],
    ...(options.signedAttributes ? [] : ['-noattr']),
    ...['-in', file('content'), '-out', file('signature')],
    ...['-signer', file(`${options.signer}.pem`), '-inkey', file(`${options.signer}.key`)],
    ...(options.chain === undefined ? [] : ['-certfile', file(`${options.chain}.pem`)]),
  );
  const signature = readFileSync(file('signature'));
  const certificate = Buffer.concat([u32(24 + signature.length), hex('0002f10e'), hex(PKCS7)]);
  return Buffer.concat([time, certificate, signature, options.payload]);
};

try {
  for (const name of ['platform', 'exchange', 'stranger']) identity(name);
  identity('middle', 'exchange');
  identity('leaf', 'middle');
  const nothing = Buffer.alloc(0);
  const pk = { name: 'PK', vendor: GLOBAL };
  const kek = { name: 'KEK', vendor: GLOBAL };
  const db = { name: 'db', vendor: SECURITY };
  const own = { name: 'Private', vendor: OWN };
  // In the order of the enumeration in authentication.c.
  const vectors: readonly Buffer[] = [
    update({ ...kek, minute: 1, payload: certificateList('exchange'), signer: 'stranger' }),
    update({ ...pk, minute: 1, payload: certificateList('platform'), signer: 'platform' }),
    update({ ...db, minute: 2, payload: hashes(1, 2), signer: 'exchange' }),
    update({ ...db, minute: 3, payload: hashes(3), signer: 'stranger' }),
    update({
      ...db,
      minute: 4,
      payload: hashes(2, 4),
      attributes: APPEND,
      signer: 'exchange',
      signedAttributes: true,
    }),
    update({ ...db, minute: 5, payload: hashes(5), signer: 'leaf', chain: 'middle' }),
    update({ ...db, minute: 6, payload: hashes(6), signer: 'leaf' }),
    update({ ...db, minute: 7, payload: Buffer.from('no list'), signer: 'platform' }),
    update({ ...kek, minute: 8, payload: certificateList('stranger'), signer: 'exchange' }),
    update({
      ...kek,
      minute: 9,
      payload: certificateList('stranger'),
      signer: 'platform',
      signedAttributes: true,
    }),
    update({ ...pk, minute: 10, payload: nothing, signer: 'exchange' }),
    update({ ...pk, minute: 11, payload: nothing, signer: 'platform' }),
    update({ ...own, minute: 1, payload: Buffer.from('mine'), signer: 'leaf', chain: 'middle' }),
    update({ ...own, minute: 2, payload: Buffer.from('yours'), signer: 'stranger' }),
    update({
      ...own,
      minute: 3,
      payload: Buffer.from(' alone'),
      attributes: APPEND,
      signer: 'leaf',
      chain: 'middle',
    }),
    update({ ...own, minute: 4, payload: nothing, signer: 'leaf', chain: 'middle' }),
    update({ ...own, minute: 5, payload: nothing, signer: 'stranger' }),
    update({ ...kek, minute: 12, payload: nothing, signer: 'stranger' }),
    update({ ...db, minute: 12, payload: nothing, signer: 'stranger' }),
  ];
  writeFileSync(
    fileURLToPath(new URL('auth-vectors.bin', import.meta.url)),
    Buffer.concat(vectors.flatMap((bytes) => [u32(bytes.length), bytes])),
  );
} finally {
  rmSync(folder, { recursive: true });
}
