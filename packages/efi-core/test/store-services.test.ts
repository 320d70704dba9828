import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blankVariableVolume,
  char16Buffer,
  createStoreServices,
  decodeChar16Z,
  decodeVariableVolume,
  EFI_TIME_ZERO,
  EfiStatus,
  efiTime,
  encodeSignatureLists,
  encodeVariableVolume,
  findRecord,
  guid,
  pkcs7Payload,
  setStoredVariable,
  signatureList,
  statusOf,
  storedVariables,
  VOLUME_GEOMETRY,
  WellKnownGuid,
} from '../src/index.ts';
import type { EfiRuntimeOps, EfiTime, StoreServices, VariableVolume } from '../src/index.ts';

const VENDOR = guid('11111111-2222-3333-4444-555555555555');
const NV_BS = 3;
const NV_BS_RT = 7;
const AUTHENTICATED = 0x27;
const APPEND = 0x40;
const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const tiny = (): VariableVolume =>
  blankVariableVolume({ variables: 0x1000, eventLog: 0x1000, working: 0x1000, spare: 0x3000 });
const store = (volume = blankVariableVolume(VOLUME_GEOMETRY['2M'])): StoreServices =>
  createStoreServices(volume);

const set = (
  { services }: StoreServices,
  name: string,
  attributes: number,
  data: Uint8Array,
  vendor = VENDOR,
): EfiStatus => statusOf(services.setVariable(name, vendor, attributes, data.length, data));

const get = ({ services }: StoreServices, name: string, vendor = VENDOR) =>
  services.getVariable(name, vendor, 0x1_0000);

const names = (services: EfiRuntimeOps): readonly string[] => {
  const found: string[] = [];
  let name = '';
  let vendor = guid('00000000-0000-0000-0000-000000000000');
  for (;;) {
    const next = services.getNextVariableName(512, char16Buffer(name, 512) ?? null, vendor);
    if (!next.ok) {
      expect(next.status).toBe(EfiStatus.NOT_FOUND);
      return found;
    }
    const text = decodeChar16Z(next.value.variableName);
    if (!text.ok) throw new Error('a name without an end');
    name = text.value.text;
    vendor = next.value.vendorGuid;
    found.push(name);
  }
};

describe('a store as variable services', () => {
  it('creates, reads, replaces and deletes, and the volume keeps it', () => {
    const one = store();
    expect(set(one, 'A', NV_BS_RT, bytes(1))).toBe(EfiStatus.SUCCESS);
    expect(set(one, 'B', NV_BS, bytes(2, 3))).toBe(EfiStatus.SUCCESS);
    expect(set(one, 'A', NV_BS_RT, bytes(4))).toBe(EfiStatus.SUCCESS);
    expect(get(one, 'A')).toEqual({ ok: true, value: { attributes: NV_BS_RT, data: bytes(4) } });
    const again = decodeVariableVolume(encodeVariableVolume(one.volume()));
    if (!again.ok) throw new Error(again.error.structure);
    expect(storedVariables(again.value).map(({ name }) => name)).toEqual(['B', 'A']);
    expect(set(one, 'A', NV_BS_RT, bytes())).toBe(EfiStatus.SUCCESS);
    expect(statusOf(get(one, 'A'))).toBe(EfiStatus.NOT_FOUND);
    expect(set(one, 'B', 0, bytes())).toBe(EfiStatus.SUCCESS);
    expect(set(one, 'B', 0, bytes())).toBe(EfiStatus.NOT_FOUND);
  });

  it('walks every name once, in storage order', () => {
    const one = store();
    for (const name of ['One', 'Two', 'Three']) set(one, name, NV_BS, bytes(1));
    expect(names(one.services)).toEqual(['One', 'Two', 'Three']);
    expect(names(store().services)).toEqual([]);
  });

  it('answers the error conditions of the specification', () => {
    const one = store();
    set(one, 'A', NV_BS_RT, bytes(1, 2, 3));
    const { services } = one;
    const { INVALID_PARAMETER, NOT_FOUND, BUFFER_TOO_SMALL, UNSUPPORTED, SECURITY_VIOLATION } =
      EfiStatus;
    expect(services.getVariable('A', VENDOR, 2)).toMatchObject({
      status: BUFFER_TOO_SMALL,
      needed: 3,
      attributes: NV_BS_RT,
    });
    expect(services.getVariable('A', VENDOR, 2, ['attributes'])).not.toHaveProperty('attributes');
    expect(statusOf(services.getVariable(null, VENDOR, 0))).toBe(INVALID_PARAMETER);
    expect(statusOf(services.getVariable('A', null, 0))).toBe(INVALID_PARAMETER);
    expect(statusOf(services.getVariable('A', VENDOR, 9, ['dataSize']))).toBe(INVALID_PARAMETER);
    expect(statusOf(services.getVariable('A', VENDOR, 9, ['data']))).toBe(INVALID_PARAMETER);
    expect(statusOf(services.getVariable('', VENDOR, 9))).toBe(NOT_FOUND);

    const next = services.getNextVariableName;
    expect(next(2, char16Buffer('', 2) ?? null, VENDOR)).toMatchObject({
      status: BUFFER_TOO_SMALL,
      needed: 4,
    });
    expect(statusOf(next(null, bytes(0, 0), VENDOR))).toBe(INVALID_PARAMETER);
    expect(statusOf(next(2, null, VENDOR))).toBe(INVALID_PARAMETER);
    expect(statusOf(next(2, bytes(0, 0), null))).toBe(INVALID_PARAMETER);
    expect(statusOf(next(2, bytes(65, 0), VENDOR))).toBe(INVALID_PARAMETER);
    expect(statusOf(next(8, char16Buffer('No', 8) ?? null, VENDOR))).toBe(INVALID_PARAMETER);

    expect(set(one, '', NV_BS, bytes(1))).toBe(INVALID_PARAMETER);
    expect(statusOf(services.setVariable(null, VENDOR, NV_BS, 0, null))).toBe(INVALID_PARAMETER);
    expect(statusOf(services.setVariable('A', null, NV_BS, 0, null))).toBe(INVALID_PARAMETER);
    expect(statusOf(services.setVariable('A', VENDOR, NV_BS, 1, null))).toBe(INVALID_PARAMETER);
    expect(set(one, 'N', 0x8000_0000, bytes(1))).toBe(INVALID_PARAMETER);
    expect(set(one, 'N', 5, bytes(1))).toBe(INVALID_PARAMETER);
    expect(set(one, 'N', 1, bytes(1))).toBe(INVALID_PARAMETER);
    expect(set(one, 'N', 6, bytes(1))).toBe(INVALID_PARAMETER);
    expect(set(one, 'N', 0x17, bytes(1))).toBe(UNSUPPORTED);
    expect(set(one, 'N', AUTHENTICATED, bytes(1))).toBe(SECURITY_VIOLATION);
    expect(set(one, 'A', NV_BS, bytes(1))).toBe(INVALID_PARAMETER);
    expect(set(one, 'N', NV_BS, bytes())).toBe(NOT_FOUND);
    expect(set(one, 'N', NV_BS | APPEND, bytes())).toBe(EfiStatus.SUCCESS);

    expect(statusOf(services.queryVariableInfo(0))).toBe(INVALID_PARAMETER);
    expect(statusOf(services.queryVariableInfo(5))).toBe(INVALID_PARAMETER);
    expect(statusOf(services.queryVariableInfo(6))).toBe(UNSUPPORTED);
    expect(statusOf(services.queryVariableInfo(NV_BS, ['maximumVariableSize']))).toBe(
      INVALID_PARAMETER,
    );
    expect(statusOf(services.getTime())).toBe(UNSUPPORTED);
  });

  it('says why in words', () => {
    const one = store();
    set(one, 'A', NV_BS_RT, bytes(1));
    expect(one.services.setVariable('A', VENDOR, NV_BS, 1, bytes(1))).toMatchObject({
      why: 'it is stored with attributes 0x7, not 0x3',
    });
  });

  it('reclaims when there is no room, and is full when that does not help', () => {
    const one = store(tiny());
    for (let round = 0; round < 40; round += 1) {
      expect(set(one, 'A', NV_BS, new Uint8Array(500).fill(round))).toBe(EfiStatus.SUCCESS);
    }
    const before = one.volume();
    expect(set(one, 'B', NV_BS, new Uint8Array(4000))).toBe(EfiStatus.OUT_OF_RESOURCES);
    expect(one.volume()).toBe(before);
    const info = one.services.queryVariableInfo(NV_BS);
    if (!info.ok) throw new Error('no figures');
    const { maximumVariableStorageSize: total, remainingVariableStorageSize: free } = info.value;
    expect(total - free).toBe(BigInt(60 + 4 + 500));
    const room = Number(info.value.maximumVariableSize) - 4;
    expect(set(one, 'C', NV_BS, new Uint8Array(room + 4))).toBe(EfiStatus.OUT_OF_RESOURCES);
    expect(set(one, 'C', NV_BS, new Uint8Array(room & ~3))).toBe(EfiStatus.SUCCESS);
  });
});

describe('authenticated variables in a store', () => {
  const at = (year: number): EfiTime => efiTime({ year, month: 6, day: 26, timeZone: 0 });
  const stamp = (one: StoreServices, name: string, vendor = VENDOR): EfiTime | undefined =>
    findRecord(one.volume(), name, vendor)?.timeStamp;

  it('are stored without their descriptor, with its time stamp', () => {
    const one = store();
    const signed = pkcs7Payload(at(2026), bytes(0x30, 0), bytes(1, 2));
    expect(set(one, 'A', AUTHENTICATED, signed)).toBe(EfiStatus.SUCCESS);
    expect(get(one, 'A')).toMatchObject({ value: { data: bytes(1, 2) } });
    expect(stamp(one, 'A')).toEqual(at(2026));
  });

  it('an append keeps the later time stamp', () => {
    const one = store();
    const write = (attributes: number, year: number, value: number): EfiStatus =>
      set(one, 'A', attributes, pkcs7Payload(at(year), bytes(), bytes(value)));
    expect(write(AUTHENTICATED, 2026, 1)).toBe(EfiStatus.SUCCESS);
    expect(write(AUTHENTICATED | APPEND, 2020, 2)).toBe(EfiStatus.SUCCESS);
    expect(get(one, 'A')).toMatchObject({ value: { data: bytes(1, 2) } });
    expect(stamp(one, 'A')).toEqual(at(2026));
    expect(write(AUTHENTICATED | APPEND, 2027, 3)).toBe(EfiStatus.SUCCESS);
    expect(stamp(one, 'A')).toEqual(at(2027));
  });

  it('a signature that is there already is not appended again', () => {
    const one = store();
    const DATABASES = WellKnownGuid.EFI_IMAGE_SECURITY_DATABASE_GUID;
    const hashes = (...fills: readonly number[]): Uint8Array =>
      encodeSignatureLists([
        signatureList(
          WellKnownGuid.EFI_CERT_SHA256_GUID,
          fills.map((fill) => ({ owner: VENDOR, data: new Uint8Array(32).fill(fill) })),
        ),
      ]);
    const write = (attributes: number, data: Uint8Array): EfiStatus =>
      set(one, 'dbx', attributes, pkcs7Payload(EFI_TIME_ZERO, bytes(), data), DATABASES);
    write(AUTHENTICATED, hashes(1, 2));
    write(AUTHENTICATED | APPEND, hashes(2, 3));
    const data = findRecord(one.volume(), 'dbx', DATABASES)?.data ?? bytes();
    expect([...data]).toEqual([...hashes(1, 2), ...hashes(3)]);
    const before = one.volume();
    write(AUTHENTICATED | APPEND, hashes(1));
    expect(one.volume()).toBe(before);
  });
});

it('holds what a plain map holds, whatever is written in whatever order', () => {
  const write = fc.record({
    name: fc.constantFrom('A', 'B', 'C', 'D'),
    append: fc.boolean(),
    data: fc.uint8Array({ maxLength: 200 }),
  });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 60 }), (writes) => {
      const one = store(tiny());
      const model = new Map<string, Uint8Array>();
      for (const { name, append, data } of writes) {
        const status = set(one, name, NV_BS | (append ? APPEND : 0), data);
        if (status !== EfiStatus.SUCCESS) continue;
        const old = append ? (model.get(name) ?? bytes()) : bytes();
        const value = bytes(...old, ...data);
        if (value.length > 0) model.set(name, value);
        else model.delete(name);
      }
      const volume = decodeVariableVolume(encodeVariableVolume(one.volume()));
      if (!volume.ok) throw new Error(volume.error.structure);
      const stored = storedVariables(volume.value).map(({ name, data }) => [name, [...data]]);
      expect(new Map(stored as [string, number[]][])).toEqual(
        new Map([...model].map(([name, data]) => [name, [...data]])),
      );
    }),
    { numRuns: 200 },
  );
});

it('a pending fault tolerant write and a damaged working block stop every change', () => {
  const volume = tiny();
  const start = setStoredVariable(volume, {
    name: 'A',
    vendorGuid: VENDOR,
    attributes: NV_BS,
    data: bytes(1),
  });
  if (!start.ok) throw new Error(start.error.kind);
  const rest = start.value.rest.slice();
  // Write header allocated and complete but for its destination: the spare area waits to be copied.
  const at = 0x1000 + 32;
  rest.fill(0, at, at + 80);
  rest[at] = 0xfc;
  rest[at + 24] = 1;
  rest[at + 40] = 0xfd;
  const one = store({ ...start.value, rest });
  expect(set(one, 'A', NV_BS, bytes(2))).toBe(EfiStatus.NOT_READY);
  expect(get(one, 'A')).toMatchObject({ value: { data: bytes(1) } });
});
