import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { requireTool } from '@systab/host-tools';
import { describe, expect, it } from 'vitest';
import {
  blankVariableVolume,
  decodeRecord,
  decodeSignatureLists,
  decodeVariableVolume,
  decodeWorkingBlock,
  deleteStoredVariable,
  EFI_FAULT_TOLERANT_WRITE_HEADER,
  EFI_FAULT_TOLERANT_WRITE_RECORD,
  efiTime,
  encodeRecord,
  encodeSignatureLists,
  encodeVariableVolume,
  findRecord,
  guid,
  liveRecords,
  placeRecords,
  reclaimStore,
  setStoredVariable,
  storedVariables,
  storeSpace,
  VariableAttribute,
  VariableState,
  VOLUME_GEOMETRY,
  WellKnownGuid,
  wellKnownGuidName,
} from '../src/index.ts';
import type { Decoded, EfiVariable, StoreEdit, VariableVolume } from '../src/index.ts';

const OVMF = '/usr/share/OVMF';
const file = (name: string): Uint8Array => Uint8Array.from(readFileSync(`${OVMF}/${name}`));
const here = (name: string): boolean => existsSync(`${OVMF}/${name}`);
const good = <T>(result: Decoded<T> | { ok: true; value: T }): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};
const edited = (result: StoreEdit): VariableVolume => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const { NON_VOLATILE, BOOTSERVICE_ACCESS, RUNTIME_ACCESS } = VariableAttribute;
const NV_BS_RT = NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS;
const TEST_GUID = guid('11111111-2222-3333-4444-555555555555');
const variable = (name: string, ...data: number[]): EfiVariable => ({
  name,
  vendorGuid: TEST_GUID,
  attributes: NV_BS_RT,
  data: Uint8Array.from(data),
});
const blank = (): VariableVolume => blankVariableVolume(VOLUME_GEOMETRY['2M']);
const tiny = (): VariableVolume =>
  blankVariableVolume({ variables: 0x1000, eventLog: 0x1000, working: 0x1000, spare: 0x3000 });

describe('a blank volume', () => {
  // Digests of the empty images in Debian's ovmf 2022.11-6.
  it.each([
    ['4M', '5d2ac383371b408398accee7ec27c8c09ea5b74a0de0ceea6513388b15be5d1e'],
    ['2M', '6ed987af3a3c155be71665f510eae3e007eda9b8b94afd59d45e91c4a11565cc'],
  ] as const)('is the empty image of the %s OVMF build', (layout, digest) => {
    expect(sha256(encodeVariableVolume(blankVariableVolume(VOLUME_GEOMETRY[layout])))).toBe(digest);
  });

  it('has the record space of the build', () => {
    expect(storeSpace(blankVariableVolume(VOLUME_GEOMETRY['4M']))).toEqual({
      total: 0x3_ff9c,
      live: 0,
      dead: 0,
      free: 0x3_ff9c,
    });
    expect(storeSpace(blank()).total).toBe(0xdf9c);
  });
});

describe('images of real firmware', () => {
  const images = [
    'OVMF_VARS_4M.fd',
    'OVMF_VARS_4M.ms.fd',
    'OVMF_VARS_4M.snakeoil.fd',
    'OVMF_VARS.fd',
    'OVMF_VARS.ms.fd',
  ];
  it.each(images.filter(here))('%s comes back byte for byte', (name) => {
    const bytes = file(name);
    const volume = good(decodeVariableVolume(bytes));
    expect(volume.format).toBe('authenticated');
    expect(sha256(encodeVariableVolume(volume))).toBe(sha256(bytes));
    expect(good(decodeWorkingBlock(bytes))).toMatchObject({
      valid: true,
      writes: [],
      pending: false,
    });
  });

  it('are read as firmware left them', (context) => {
    requireTool(context, 'ovmf');
    const volume = good(decodeVariableVolume(file('OVMF_VARS_4M.ms.fd')));
    expect(volume.records).toHaveLength(57);
    const placed = placeRecords(volume);
    expect(placed[0]).toMatchObject({
      offset: 0x64,
      record: { name: 'CustomMode', state: VariableState.SUPERSEDED, attributes: 3 },
    });
    expect(placed[1]?.offset).toBe(0xb8);
    const names = liveRecords(volume).map(({ name }) => name);
    expect(names).toContain('PK');
    expect(names).not.toContain('BootOrder');
    expect(names.filter((name) => name === 'CustomMode')).toHaveLength(1);
    expect(new Set(names).size).toBe(names.length);
  });

  it('hold signature lists that round-trip', (context) => {
    requireTool(context, 'ovmf');
    const volume = good(decodeVariableVolume(file('OVMF_VARS_4M.ms.fd')));
    const types = (
      name: string,
      space: 'EFI_GLOBAL_VARIABLE' | 'EFI_IMAGE_SECURITY_DATABASE_GUID',
    ) => {
      const record = findRecord(volume, name, WellKnownGuid[space]);
      if (record === undefined) throw new Error(`${name} is missing`);
      const lists = good(decodeSignatureLists(record.data));
      expect(encodeSignatureLists(lists)).toEqual(record.data);
      return lists.map(
        ({ signatureType, signatures }) =>
          `${wellKnownGuidName(signatureType) ?? '?'} ${String(signatures.length)}`,
      );
    };
    expect(types('PK', 'EFI_GLOBAL_VARIABLE')).toEqual(['EFI_CERT_X509_GUID 1']);
    expect(types('KEK', 'EFI_GLOBAL_VARIABLE')).toEqual([
      'EFI_CERT_X509_GUID 1',
      'EFI_CERT_X509_GUID 1',
    ]);
    expect(types('db', 'EFI_IMAGE_SECURITY_DATABASE_GUID')).toEqual([
      'EFI_CERT_X509_GUID 1',
      'EFI_CERT_X509_GUID 1',
    ]);
    expect(types('dbx', 'EFI_IMAGE_SECURITY_DATABASE_GUID')).toEqual(['EFI_CERT_SHA256_GUID 1']);
  });

  it('take an edit that touches nothing else', (context) => {
    requireTool(context, 'ovmf');
    const before = file('OVMF_VARS_4M.ms.fd');
    const volume = good(decodeVariableVolume(before));
    const timeout = { name: 'Timeout', vendorGuid: WellKnownGuid.EFI_GLOBAL_VARIABLE };
    const next = edited(
      setStoredVariable(volume, { ...timeout, attributes: NV_BS_RT, data: Uint8Array.of(9, 0) }),
    );
    const after = encodeVariableVolume(next);
    expect(after).toHaveLength(before.length);
    const old = placeRecords(volume).find(({ record }) => record.name === 'Timeout');
    const changed = [...after.keys()].filter((at) => after[at] !== before[at]);
    // One state byte of the old record, and the new record behind the last one (at 0x5998).
    expect(changed[0]).toBe((old?.offset ?? 0) + 2);
    expect(before[(old?.offset ?? 0) + 2]).toBe(VariableState.ADDED);
    expect(after[(old?.offset ?? 0) + 2]).toBe(VariableState.SUPERSEDED);
    expect(changed.slice(1).every((at) => at >= 0x5998 && at < 0x5998 + 80)).toBe(true);
    expect(
      findRecord(good(decodeVariableVolume(after)), 'Timeout', timeout.vendorGuid)?.data,
    ).toEqual(Uint8Array.of(9, 0));
  });
});

describe('editing a store', () => {
  it('adds, replaces, deletes and reclaims', () => {
    let volume = edited(setStoredVariable(blank(), variable('X', 1)));
    // 60 bytes of header, 4 of name, 1 of data, 3 of padding.
    expect(storeSpace(volume)).toMatchObject({ live: 68, dead: 0 });
    volume = edited(setStoredVariable(volume, variable('Y', 2, 2)));
    volume = edited(setStoredVariable(volume, variable('X', 3)));
    expect(volume.records.map(({ name, state }) => [name, state])).toEqual([
      ['X', VariableState.SUPERSEDED],
      ['Y', VariableState.ADDED],
      ['X', VariableState.ADDED],
    ]);
    volume = edited(deleteStoredVariable(volume, 'Y', TEST_GUID));
    expect(volume.records[1]?.state).toBe(VariableState.DELETED);
    expect(storedVariables(volume)).toEqual([variable('X', 3)]);
    const small = reclaimStore(volume);
    expect(small.records).toHaveLength(1);
    expect(encodeVariableVolume(small)).toHaveLength(encodeVariableVolume(volume).length);
    expect(storedVariables(good(decodeVariableVolume(encodeVariableVolume(small))))).toEqual([
      variable('X', 3),
    ]);
  });

  it('keeps time stamps, and rewrites a value whose stamp alone is new', () => {
    const timeStamp = efiTime({ year: 2026, month: 11, day: 22, timeZone: 0 });
    const db = { ...variable('db', 1), attributes: 0x27, timeStamp };
    const volume = edited(setStoredVariable(blank(), db));
    expect(storedVariables(good(decodeVariableVolume(encodeVariableVolume(volume))))).toEqual([db]);
    expect(edited(setStoredVariable(volume, db))).toBe(volume);
    const later = { ...db, timeStamp: { ...timeStamp, hour: 1 } };
    expect(storedVariables(edited(setStoredVariable(volume, later)))).toEqual([later]);
  });

  it('knows the format without authentication', () => {
    const { store, ...rest } = blank();
    const plain = good(
      decodeVariableVolume(
        encodeVariableVolume({
          ...rest,
          store: { ...store, signature: WellKnownGuid.EFI_VARIABLE_GUID },
        }),
      ),
    );
    expect(plain.format).toBe('plain');
    const volume = edited(setStoredVariable(plain, variable('X', 1)));
    // 32 bytes of header, 4 of name, 1 of data, 3 of padding.
    expect(storeSpace(volume).live).toBe(40);
    const image = encodeVariableVolume(volume);
    const read = good(decodeVariableVolume(image));
    expect(storedVariables(read)).toEqual([variable('X', 1)]);
    expect(read.records[0]?.timeStamp).toBeUndefined();
    expect(volume.records[0]?.timeStamp).toBeUndefined();
    expect(encodeVariableVolume(read)).toEqual(image);
  });

  it('changes nothing when the value is already there', () => {
    const volume = edited(setStoredVariable(blank(), variable('X', 1)));
    expect(edited(setStoredVariable(volume, variable('X', 1)))).toBe(volume);
  });

  it('reclaims when the end is reached, and says when even that is not enough', () => {
    let volume = tiny();
    const { total } = storeSpace(volume);
    for (let round = 0; round < 100; round += 1) {
      volume = edited(setStoredVariable(volume, variable('Counter', round, 0, 0, 0)));
    }
    expect(storedVariables(volume)).toEqual([variable('Counter', 99, 0, 0, 0)]);
    expect(volume.records.length).toBeLessThan(60);
    const big = { ...variable('Big'), data: new Uint8Array(total) };
    expect(setStoredVariable(volume, big)).toEqual({
      ok: false,
      error: { kind: 'full', needed: 68 + total, free: total - 80 },
    });
    // Replacing the only variable may use its own space.
    const just = { ...variable('Counter'), data: new Uint8Array(total - 76) };
    const exact = edited(setStoredVariable(volume, just));
    expect(storeSpace(exact).free).toBe(0);
    expect(storedVariables(good(decodeVariableVolume(encodeVariableVolume(exact))))).toEqual([
      just,
    ]);
  });

  it('refuses what no store can hold', () => {
    const bad = (change: Partial<EfiVariable>): unknown => {
      const result = setStoredVariable(blank(), { ...variable('X', 1), ...change });
      return result.ok ? 'accepted' : result.error;
    };
    expect(bad({ name: '' })).toEqual({ kind: 'bad name', faults: ['empty'] });
    expect(bad({ attributes: 6 })).toEqual({
      kind: 'bad attributes',
      faults: ['not non-volatile'],
    });
    expect(bad({ attributes: 0x47 })).toEqual({ kind: 'bad attributes', faults: ['append'] });
    expect(bad({ attributes: 5 })).toEqual({
      kind: 'bad attributes',
      faults: ['runtime without boot'],
    });
    expect(deleteStoredVariable(blank(), 'X', TEST_GUID)).toEqual({
      ok: false,
      error: { kind: 'not found' },
    });
  });

  it('reads an update cut between its steps as firmware does', () => {
    const first = edited(setStoredVariable(blank(), variable('X', 1)));
    const both = edited(setStoredVariable(first, variable('X', 2)));
    const withStates = (...states: number[]): VariableVolume => ({
      ...both,
      records: both.records.map((record, index) => ({ ...record, state: states[index] ?? 0 })),
    });
    const { ADDED, IN_DELETED_TRANSITION, HEADER_VALID, SUPERSEDED } = VariableState;
    const value = (volume: VariableVolume): unknown => findRecord(volume, 'X', TEST_GUID)?.data[0];
    expect(value(withStates(IN_DELETED_TRANSITION, HEADER_VALID))).toBe(1);
    expect(value(withStates(IN_DELETED_TRANSITION, ADDED))).toBe(2);
    expect(value(withStates(SUPERSEDED, ADDED))).toBe(2);
    const healed = reclaimStore(withStates(IN_DELETED_TRANSITION, HEADER_VALID));
    expect(healed.records.map(({ state, data }) => [state, data[0]])).toEqual([[ADDED, 1]]);
  });

  it('keeps a torn record and the garbage behind it, and writes only after a reclaim', () => {
    const image = encodeVariableVolume(edited(setStoredVariable(blank(), variable('X', 1))));
    // A second record whose header was cut after its StartId: everything else still erased, name bytes behind.
    const at = 0x64 + 68;
    image.set([0xaa, 0x55], at);
    image.set([0x41, 0, 0x42, 0], at + 60);
    const volume = good(decodeVariableVolume(image));
    expect(volume.records).toHaveLength(2);
    expect(volume.records[1]?.torn).toHaveLength(60);
    expect(encodeVariableVolume(volume)).toEqual(image);
    expect(storedVariables(volume)).toEqual([variable('X', 1)]);
    const next = edited(setStoredVariable(volume, variable('Z', 5)));
    expect(next.records.map(({ name }) => name)).toEqual(['X', 'Z']);
  });

  it('refuses to edit under a fault tolerant write that will be replayed', () => {
    const image = encodeVariableVolume(edited(setStoredVariable(tiny(), variable('X', 1))));
    const queue = 0x2000 + 32;
    const write = (headerState: number, recordState: number): Uint8Array => {
      const next = Uint8Array.from(image);
      next.set(
        EFI_FAULT_TOLERANT_WRITE_HEADER.encode({
          state: headerState,
          callerId: TEST_GUID,
          numberOfWrites: 1n,
          privateDataSize: 0n,
        }),
        queue,
      );
      next.set(
        EFI_FAULT_TOLERANT_WRITE_RECORD.encode({
          state: recordState,
          lba: 0n,
          offset: 0n,
          length: 0x1000n,
          relativeOffset: 0n,
        }),
        queue + 40,
      );
      return next;
    };
    const attempt = (bytes: Uint8Array): unknown => {
      const result = setStoredVariable(good(decodeVariableVolume(bytes)), variable('X', 2));
      return result.ok ? 'edited' : result.error.kind;
    };
    expect(attempt(write(0xfc, 0xff))).toBe('edited');
    expect(attempt(write(0xfc, 0xfd))).toBe('write pending');
    expect(attempt(write(0xfc, 0xf9))).toBe('edited');
    expect(attempt(write(0xf8, 0xf9))).toBe('edited');
    const broken = write(0xfc, 0xfd);
    broken[queue + 24] = 200;
    expect(attempt(broken)).toBe('damaged');
    // With a wrong header CRC firmware does not use the block, so nothing is replayed.
    const invalid = write(0xfc, 0xfd);
    invalid[0x2010] = 0;
    expect(attempt(invalid)).toBe('edited');
  });

  it('behaves like a map, whatever is done to it', () => {
    const step = fc.record({
      name: fc.constantFrom('A', 'Bb', 'Boot0000', 'Ünïcödé'),
      data: fc.option(fc.uint8Array({ minLength: 1, maxLength: 300 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let volume = tiny();
        const model = new Map<string, Uint8Array>();
        for (const { name, data } of steps) {
          const result =
            data === null
              ? deleteStoredVariable(volume, name, TEST_GUID)
              : setStoredVariable(volume, { ...variable(name), data });
          expect(result.ok).toBe(data !== null || model.has(name));
          if (result.ok) volume = result.value;
          if (data === null) model.delete(name);
          else model.set(name, data);
        }
        const image = encodeVariableVolume(volume);
        expect(image).toHaveLength(0x6000);
        const read = good(decodeVariableVolume(image));
        expect(new Map(storedVariables(read).map(({ name, data }) => [name, data]))).toEqual(model);
      }),
      { numRuns: 40 },
    );
  });
});

describe('hostile images', () => {
  it('are answered with an error value that says where', () => {
    const image = encodeVariableVolume(edited(setStoredVariable(blank(), variable('X', 1))));
    const broken = (at: number, ...bytes: number[]): unknown => {
      const next = Uint8Array.from(image);
      next.set(bytes, at);
      const result = decodeVariableVolume(next);
      return result.ok ? 'read' : `${result.error.structure} ${String(result.error.offset)}`;
    };
    expect(broken(40, 0)).toBe('EFI_FIRMWARE_VOLUME_HEADER.signature 40');
    expect(broken(48, 0xff, 0xff)).toBe('EFI_FIRMWARE_VOLUME_HEADER.headerLength 48');
    expect(broken(44, 0)).toBe('EFI_FIRMWARE_VOLUME_HEADER.checksum 50');
    expect(broken(0x48, 0)).toBe('VARIABLE_STORE_HEADER.signature 72');
    expect(broken(0x58, 0xff, 0xff, 0xff, 0x7f)).toBe('VARIABLE_STORE_HEADER.size 88');
    expect(broken(0x5c, 0)).toBe('VARIABLE_STORE_HEADER.format 92');
    expect(broken(0x5d, 0)).toBe('VARIABLE_STORE_HEADER.state 93');
    expect(broken(0x64 + 36, 0xff, 0xff)).toBe(
      'AUTHENTICATED_VARIABLE_HEADER.nameSize and dataSize 100',
    );
    expect(broken(0x64 + 62, 1)).toBe('AUTHENTICATED_VARIABLE_HEADER name 160');
    expect(decodeVariableVolume(new Uint8Array())).toMatchObject({ ok: false });
    expect(decodeVariableVolume(image.subarray(0, 0x9000))).toMatchObject({
      ok: false,
      error: { structure: 'EFI_FIRMWARE_VOLUME_HEADER.fvLength' },
    });
  });

  it('never throw, and what is accepted comes back byte for byte', () => {
    const base = encodeVariableVolume(edited(setStoredVariable(tiny(), variable('Some', 1, 2, 3))));
    const flips = fc.array(fc.tuple(fc.nat(0x200), fc.integer({ min: 0, max: 255 })), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(flips, fc.boolean(), (changes, repair) => {
        const image = Uint8Array.from(base);
        for (const [at, byte] of changes) image[at] = byte;
        if (repair) image.set(base.subarray(0, 0x64));
        const result = decodeVariableVolume(image);
        expect(result.ok ? encodeVariableVolume(result.value) : image).toEqual(image);
        expect(() => {
          if (result.ok) setStoredVariable(result.value, variable('New', 1));
        }).not.toThrow();
        expect(() => decodeWorkingBlock(image)).not.toThrow();
      }),
      { numRuns: 200 },
    );
  });

  it('keep a record of either format whole', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 64, maxLength: 140 }),
        fc.constantFrom('authenticated' as const, 'plain' as const),
        (bytes, format) => {
          bytes.set([0xaa, 0x55]);
          const sizes = format === 'plain' ? 8 : 36;
          bytes.set([4, 0, 0, 0, 7, 0, 0, 0], sizes);
          const result = decodeRecord(bytes, 0, bytes.length, format);
          if (!result.ok || result.value === undefined) return;
          const image = encodeRecord(result.value, format);
          expect(image).toEqual(bytes.subarray(0, image.length));
        },
      ),
    );
  });
});
