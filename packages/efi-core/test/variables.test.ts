import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  authenticatedDigestInput,
  authTimeStampFaults,
  bytesToHex,
  decodeAuthenticatedPayload,
  decodeDmpstore,
  decodeEfivarExport,
  decodeEfivarfs,
  decodeSignatureLists,
  EFI_SIGNATURE_LIST,
  efiTime,
  efivarfsFileName,
  encodeAuthenticatedPayload,
  encodeDmpstore,
  encodeEfivarExport,
  encodeEfivarfs,
  encodeSignatureLists,
  findGlobalVariable,
  guid,
  guidFromBytes,
  hexToBytes,
  nameNumber,
  numberedName,
  parseVariableLabel,
  pkcs7Payload,
  signatureList,
  signaturePayloadSize,
  variableAttributeFaults,
  variableAttributeNames,
  variableLabel,
  variableNameFaults,
  variableNameSize,
  variablesFromJson,
  variablesToJson,
  WellKnownGuid,
} from '../src/index.ts';
import type { Decoded, EfiVariable, Guid } from '../src/index.ts';

const good = <T>(result: Decoded<T>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};
const unhex = (text: string): Uint8Array => hexToBytes(text) ?? new Uint8Array();
const GLOBAL = WellKnownGuid.EFI_GLOBAL_VARIABLE;
const guids = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes): Guid => good(guidFromBytes(bytes)));
const variables = fc.record({
  name: fc.string({ minLength: 1, maxLength: 20 }).filter((name) => !name.includes('\0')),
  vendorGuid: guids,
  attributes: fc.nat(0xffff_ffff),
  data: fc.uint8Array({ maxLength: 40 }),
});
const timeout: EfiVariable = {
  name: 'Timeout',
  vendorGuid: GLOBAL,
  attributes: 7,
  data: Uint8Array.of(5, 0),
};

describe('variable attributes', () => {
  it.each([
    [0, []],
    [0x40, []],
    [2, []],
    [6, []],
    [3, []],
    [7, []],
    [0x27, []],
    [0x67, []],
    [0x0f, []],
    [1, ['no access']],
    [4, ['runtime without boot']],
    [5, ['runtime without boot']],
    [0x0b, ['hardware error record']],
    [0x08, ['hardware error record']],
    [0x37, ['two authentications']],
    [0xa7, ['two authentications']],
    [0x107, ['reserved bits']],
    [0x8000_0007 | 0, ['reserved bits']],
    [0x8000_0005, ['reserved bits', 'runtime without boot']],
  ] as const)('0x%s breaks %o', (attributes, faults) => {
    expect(variableAttributeFaults(attributes)).toEqual(faults);
  });

  it('have names', () => {
    expect(variableAttributeNames(0x27)).toEqual([
      'NON_VOLATILE',
      'BOOTSERVICE_ACCESS',
      'RUNTIME_ACCESS',
      'TIME_BASED_AUTHENTICATED_WRITE_ACCESS',
    ]);
    expect(variableAttributeNames(0x8000_0001)).toEqual(['NON_VOLATILE', '0x80000000']);
  });
});

describe('variable names', () => {
  it('must not be empty, must not hold NUL, and are ruled in the error record space', () => {
    expect(variableNameFaults('BootOrder', GLOBAL)).toEqual([]);
    expect(variableNameFaults('', GLOBAL)).toEqual(['empty']);
    expect(variableNameFaults('a\0b', GLOBAL)).toEqual(['embedded NUL']);
    const records = WellKnownGuid.EFI_HARDWARE_ERROR_VARIABLE;
    expect(variableNameFaults('HwErrRec00AF', records, 0xf)).toEqual([]);
    expect(variableNameFaults('HwErrRec00af', records)).toEqual(['not HwErrRec####']);
    expect(variableNameFaults('Other', GLOBAL, 0xf)).toEqual(['not HwErrRec####']);
    expect(variableNameSize('X')).toBe(4);
  });

  it('of the specification are known by pattern', () => {
    expect(findGlobalVariable('Boot00AF', GLOBAL)).toMatchObject({
      pattern: 'Boot####',
      shape: 'EFI_LOAD_OPTION',
      attributes: 7,
    });
    expect(findGlobalVariable('Boot00af', GLOBAL)).toBeUndefined();
    expect(findGlobalVariable('Boot00AF0', GLOBAL)).toBeUndefined();
    expect(findGlobalVariable('BootOrder', GLOBAL)?.shape).toBe('UINT16[]');
    expect(findGlobalVariable('SecureBoot', GLOBAL)?.readOnly).toBe(true);
    expect(findGlobalVariable('db', GLOBAL)).toBeUndefined();
    expect(
      findGlobalVariable('db', WellKnownGuid.EFI_IMAGE_SECURITY_DATABASE_GUID)?.attributes,
    ).toBe(0x27);
  });

  it('carry numbers', () => {
    expect(numberedName('Boot', 0xaf)).toBe('Boot00AF');
    expect(nameNumber('Boot', 'Boot00AF')).toBe(0xaf);
    expect(nameNumber('Boot', 'BootOrder')).toBeUndefined();
    expect(() => numberedName('Boot', 0x1_0000)).toThrow(RangeError);
    expect(() => numberedName('Boot', -1)).toThrow(RangeError);
  });
});

describe('authenticated writes', () => {
  const timeStamp = efiTime({ year: 2026, month: 11, day: 22, timeZone: 0 });
  const certData = Uint8Array.of(0x30, 0x03, 1, 2, 3);
  const payload = Uint8Array.of(9, 8, 7);

  it('come back, with the certificate where the specification puts it', () => {
    const bytes = pkcs7Payload(timeStamp, certData, payload);
    expect(bytes).toHaveLength(40 + 5 + 3);
    expect(bytesToHex(bytes.subarray(16, 24))).toBe('1d0000000002f10e');
    expect(bytes.subarray(40, 45)).toEqual(certData);
    expect(good(decodeAuthenticatedPayload(bytes))).toEqual({
      timeStamp,
      certType: WellKnownGuid.EFI_CERT_TYPE_PKCS7_GUID,
      certData,
      payload,
    });
  });

  it.each([
    [16, [0x17], 'WIN_CERTIFICATE.dwLength'],
    [16, [0x21], 'WIN_CERTIFICATE.dwLength'],
    [20, [0, 1], 'WIN_CERTIFICATE.wRevision'],
    [22, [0, 0], 'WIN_CERTIFICATE.wCertificateType'],
  ])('are refused when the byte at %i is wrong', (offset, wrong, structure) => {
    const bytes = pkcs7Payload(timeStamp, certData, payload);
    bytes.set(wrong, offset);
    expect(decodeAuthenticatedPayload(bytes)).toMatchObject({ error: { structure, offset } });
  });

  it('sign name, GUID, attributes, time and content, in that order', () => {
    const input = authenticatedDigestInput({
      name: 'db',
      vendorGuid: WellKnownGuid.EFI_IMAGE_SECURITY_DATABASE_GUID,
      attributes: 0x67,
      timeStamp,
      payload,
    });
    expect(bytesToHex(input)).toBe(
      [
        '64006200',
        'cbb219d73a3d9645a3bcdad00e67656f',
        '67000000',
        'ea070b16000000000000000000000000',
        '090807',
      ].join(''),
    );
  });

  it('have stamps with zeros where zeros must be', () => {
    expect(authTimeStampFaults(timeStamp)).toEqual([]);
    expect(authTimeStampFaults({ ...timeStamp, nanosecond: 1, timeZone: 0x7ff, pad2: 1 })).toEqual([
      'nanosecond',
      'timeZone',
      'pad2',
    ]);
  });

  it('round-trip and never throw', () => {
    fc.assert(
      fc.property(guids, fc.uint8Array(), fc.uint8Array(), (certType, cert, content) => {
        const value = { timeStamp, certType, certData: cert, payload: content };
        expect(good(decodeAuthenticatedPayload(encodeAuthenticatedPayload(value)))).toEqual(value);
        expect(() => decodeAuthenticatedPayload(content)).not.toThrow();
      }),
    );
  });
});

describe('signature lists', () => {
  const owner = WellKnownGuid.MICROSOFT_OWNER_GUID;
  const hash = (fill: number): { owner: Guid; data: Uint8Array } => ({
    owner,
    data: new Uint8Array(32).fill(fill),
  });
  const two = signatureList(WellKnownGuid.EFI_CERT_SHA256_GUID, [hash(1), hash(2)]);

  it('come back, one after the other', () => {
    const bytes = encodeSignatureLists([two, two]);
    expect(bytes).toHaveLength(2 * (28 + 2 * 48));
    expect(good(decodeSignatureLists(bytes))).toEqual([two, two]);
    expect(good(decodeSignatureLists(new Uint8Array()))).toEqual([]);
    const empty = { ...two, signatures: [], header: Uint8Array.of(1, 2) };
    expect(good(decodeSignatureLists(encodeSignatureLists([empty])))).toEqual([empty]);
  });

  it.each([
    [16, [27, 0, 0, 0], 'signatureListSize'],
    [16, [0xff, 0xff, 0xff, 0xff], 'signatureListSize'],
    [20, [0xff, 0, 0, 0], 'signatureHeaderSize'],
    [24, [0, 0, 0, 0], 'signatureSize'],
    [24, [15, 0, 0, 0], 'signatureSize'],
    [24, [47, 0, 0, 0], 'signatureSize'],
  ])('are refused when offset %i holds %o', (offset, wrong, field) => {
    const bytes = encodeSignatureLists([two, two]);
    bytes.set(wrong, 124 + offset);
    expect(decodeSignatureLists(bytes)).toMatchObject({
      error: { structure: `EFI_SIGNATURE_LIST.${field}`, offset: 124 + offset },
    });
  });

  it('are not made of signatures of different sizes', () => {
    const short = { owner, data: new Uint8Array(20) };
    expect(() => signatureList(WellKnownGuid.EFI_CERT_X509_GUID, [hash(1), short])).toThrow(
      RangeError,
    );
    expect(() => signatureList(WellKnownGuid.EFI_CERT_X509_GUID, [])).toThrow(RangeError);
    expect(() => encodeSignatureLists([{ ...two, signatures: [short] }])).toThrow(/20 bytes/);
  });

  it('know the sizes of their types', () => {
    expect(signaturePayloadSize(WellKnownGuid.EFI_CERT_SHA256_GUID)).toBe(32);
    expect(signaturePayloadSize(WellKnownGuid.EFI_CERT_X509_SHA512_GUID)).toBe(80);
    expect(signaturePayloadSize(WellKnownGuid.EFI_CERT_X509_GUID)).toBe(0);
    expect(signaturePayloadSize(GLOBAL)).toBeUndefined();
  });

  it('never throw', () => {
    const head = fc
      .record({
        signatureType: guids,
        signatureListSize: fc.nat(200),
        signatureHeaderSize: fc.nat(60),
        signatureSize: fc.nat(60),
      })
      .map((fields) => EFI_SIGNATURE_LIST.encode(fields));
    fc.assert(
      fc.property(head, fc.uint8Array({ maxLength: 160 }), (fields, body) => {
        const bytes = Uint8Array.from([...fields, ...body]);
        const read = decodeSignatureLists(bytes);
        expect(read.ok ? encodeSignatureLists(read.value) : bytes).toEqual(bytes);
      }),
    );
  });
});

describe('exchange formats', () => {
  // Both built with Python's struct and zlib, apart from this code.
  const efivar =
    '9715dff301000000070000000000000061dfe48bca93d211aa0d00e098032b8c1000000002000000540069006d0065006f007500740000000500c552bec9';
  const dmpstore =
    '1000000002000000540069006d0065006f0075007400000061dfe48bca93d211aa0d00e098032b8c070000000500293b1116';

  it('efivar export', () => {
    expect(bytesToHex(encodeEfivarExport(timeout))).toBe(efivar);
    expect(good(decodeEfivarExport(unhex(efivar)))).toEqual(timeout);
    const at = (offset: number, byte: number): unknown => {
      const bytes = unhex(efivar);
      bytes[offset] = byte;
      const read = decodeEfivarExport(bytes);
      return read.ok ? 'read' : read.error.structure;
    };
    expect(at(0, 0)).toBe('efivar export magic and version');
    expect(at(4, 2)).toBe('efivar export magic and version');
    expect(at(33, 1)).toBe('efivar export sizes');
    expect(at(57, 9)).toBe('efivar export CRC');
  });

  it('dmpstore', () => {
    expect(bytesToHex(encodeDmpstore([timeout]))).toBe(dmpstore);
    expect(good(decodeDmpstore(unhex(dmpstore + dmpstore)))).toEqual([timeout, timeout]);
    const second = unhex(dmpstore + dmpstore);
    second[60] = 0xff;
    expect(decodeDmpstore(second)).toMatchObject({
      error: { structure: 'dmpstore record CRC', offset: 96 },
    });
    expect(decodeDmpstore(unhex(dmpstore).subarray(0, 30))).toMatchObject({
      error: { structure: 'dmpstore record sizes', offset: 0 },
    });
  });

  it('efivarfs', () => {
    expect(bytesToHex(encodeEfivarfs(timeout))).toBe('070000000500');
    expect(good(decodeEfivarfs(unhex('07000000')))).toEqual({
      attributes: 7,
      data: new Uint8Array(),
    });
    expect(decodeEfivarfs(unhex('070000'))).toMatchObject({ ok: false });
    expect(efivarfsFileName(timeout)).toBe(`Timeout-${GLOBAL}`);
    expect(good(parseVariableLabel(`a-b-${GLOBAL}`))).toEqual({ name: 'a-b', vendorGuid: GLOBAL });
    for (const bad of ['', 'x', GLOBAL, `-${GLOBAL}`, `Timeout${GLOBAL}`, `Timeout-${GLOBAL}0`]) {
      expect(parseVariableLabel(bad)).toMatchObject({ ok: false });
    }
  });

  it('JSON as virt-fw-vars writes it', () => {
    const timeStamp = efiTime({ year: 2026, month: 11, day: 22, timeZone: 0 });
    const list = variablesToJson([timeout, { ...timeout, attributes: 0x27, timeStamp }]);
    expect(list).toEqual({
      version: 2,
      variables: [
        { name: 'Timeout', guid: GLOBAL, attr: 7, data: '0500' },
        {
          name: 'Timeout',
          guid: GLOBAL,
          attr: 0x27,
          data: '0500',
          time: 'ea070b16000000000000000000000000',
        },
      ],
    });
    expect(good(variablesFromJson(JSON.parse(JSON.stringify(list))))).toEqual([
      timeout,
      { ...timeout, attributes: 0x27, timeStamp },
    ]);
  });

  it.each<[unknown, string]>([
    [null, 'variable list'],
    [[], 'variable list'],
    [{ version: 2 }, 'variable list'],
    [{ version: 3, variables: [] }, 'variable list version'],
    [{ variables: [] }, 'variable list version'],
    [{ version: 2, variables: [1] }, 'variables[0].'],
    [{ version: 2, variables: [{ name: 1 }] }, 'variables[0].name'],
    [{ version: 2, variables: [{ name: 'a', guid: 'x' }] }, 'variables[0].guid'],
    [{ version: 2, variables: [{ name: 'a', guid: GLOBAL, attr: -1 }] }, 'variables[0].attr'],
    [
      { version: 2, variables: [{ name: 'a', guid: GLOBAL, attr: 7, data: '0' }] },
      'variables[0].data',
    ],
    [
      { version: 2, variables: [{ name: 'a', guid: GLOBAL, attr: 7, data: '', time: '00' }] },
      'variables[0].time',
    ],
  ])('JSON that is not: %o', (value, structure) => {
    expect(variablesFromJson(value)).toMatchObject({ error: { structure } });
  });

  it('carry every variable', () => {
    fc.assert(
      fc.property(fc.array(variables, { maxLength: 4 }), (list) => {
        expect(good(decodeDmpstore(encodeDmpstore(list)))).toEqual(list);
        expect(good(variablesFromJson(JSON.parse(JSON.stringify(variablesToJson(list)))))).toEqual(
          list,
        );
        for (const one of list) {
          expect(good(decodeEfivarExport(encodeEfivarExport(one)))).toEqual(one);
          const label = variableLabel(one.name, one.vendorGuid);
          expect(good(parseVariableLabel(label))).toEqual({
            name: one.name,
            vendorGuid: one.vendorGuid,
          });
        }
      }),
    );
  });

  it('never throw', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.string(),
        fc.jsonValue(),
        (bytes, text, json) => {
          expect(() => {
            decodeEfivarExport(bytes);
            decodeDmpstore(bytes);
            decodeEfivarfs(bytes);
            parseVariableLabel(text);
            variablesFromJson(json);
            variablesFromJson({ version: 2, variables: [json] });
          }).not.toThrow();
        },
      ),
    );
    expect(guid(GLOBAL)).toBe(GLOBAL);
  });
});
