/** Variables: what works, and every error condition that a caller can provoke. */
import {
  char16Buffer,
  decodeChar16Z,
  encodeChar16Z,
  guid,
  LoadOptionAttribute,
  VariableAttribute,
  variableLabel,
  WellKnownGuid,
} from '@systab/efi-core';
import type { LoadOption } from '@systab/efi-core';
import type { VariableResult } from '@systab/efi-runtime';
import type { System } from '../../system.ts';
import { fact, observe } from '../observation.ts';
import type { Observation } from '../observation.ts';
import { operations } from '../operation.ts';
import type { Operation } from '../operation.ts';

const VENDOR = guid('6fd0b0c2-7e2f-4a1b-9a61-0f5a2d0c9b11');
const { EFI_GLOBAL_VARIABLE } = WellKnownGuid;
const { NON_VOLATILE, BOOTSERVICE_ACCESS, RUNTIME_ACCESS, APPEND_WRITE } = VariableAttribute;
const { TIME_BASED_AUTHENTICATED_WRITE_ACCESS, HARDWARE_ERROR_RECORD } = VariableAttribute;
const PERSISTENT = NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS;
const NAME = 'Compared';
const NAME_BUFFER = 512;
const ROOM = 256;
/** Larger than any store. */
const HUGE = 0x4_0000;

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const hex = (data: Uint8Array): string =>
  Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');

const read = ({ runtime }: System): Observation =>
  observe(
    runtime.services.getVariable(NAME, VENDOR, ROOM),
    ({ attributes, data }) => `${hex(data)} attributes ${String(attributes)}`,
  );

const write = (
  { runtime }: System,
  attributes: number,
  data: Uint8Array | null,
  size: number = data?.length ?? 0,
  name: string | null = NAME,
): Observation => observe(runtime.services.setVariable(name, VENDOR, attributes, size, data));

const thenRead = (system: System, written: Observation): Observation =>
  written.value === 'SUCCESS' ? read(system) : written;

/** With the error number that a user of efivarfs sees. */
const errno = (result: VariableResult<unknown>): Observation =>
  result.ok ? fact('ok') : { ...observe(result), value: result.errno };

const names = ({ runtime }: System): Observation => {
  const { labels, end } = runtime.variables.list();
  const text = labels.map(({ name, vendorGuid }) => variableLabel(name, vendorGuid)).toSorted();
  return fact(`${text.join('\n')}\n${end.kind}`, `${String(text.length)} names`);
};

const next = (system: System, size: number | null, name: string): Observation => {
  const buffer =
    size === null ? encodeChar16Z(name) : char16Buffer(name, Math.max(size, (name.length + 1) * 2));
  return observe(
    system.runtime.services.getNextVariableName(size, buffer ?? encodeChar16Z(name), VENDOR),
    ({ variableName }) => {
      const found = decodeChar16Z(variableName);
      return found.ok ? found.value.text : 'no terminator';
    },
  );
};

export const VARIABLE_OPERATIONS: readonly Operation[] = operations('variables', [
  ['list', 'all names', names],
  [
    'create',
    'create and read',
    (system) => thenRead(system, write(system, PERSISTENT, bytes(1, 2, 3))),
  ],
  ['list-again', 'all names, with it', names],
  [
    'too-small',
    'GetVariable, buffer too small',
    ({ runtime }) => observe(runtime.services.getVariable(NAME, VENDOR, 1)),
  ],
  [
    'size-only',
    'GetVariable, NULL buffer of 0 bytes',
    ({ runtime }) => observe(runtime.services.getVariable(NAME, VENDOR, 0, ['data'])),
  ],
  [
    'without-attributes',
    'GetVariable, NULL attributes',
    ({ runtime }) =>
      observe(runtime.services.getVariable(NAME, VENDOR, ROOM, ['attributes']), ({ data }) =>
        hex(data),
      ),
  ],
  ['replace', 'replace by less', (system) => thenRead(system, write(system, PERSISTENT, bytes(9)))],
  [
    'append',
    'append',
    (system) => thenRead(system, write(system, PERSISTENT | APPEND_WRITE, bytes(8, 7))),
  ],
  [
    'append-nothing',
    'append nothing',
    (system) => thenRead(system, write(system, PERSISTENT | APPEND_WRITE, bytes())),
  ],
  [
    'other-attributes',
    'write with other attributes',
    (system) => write(system, NON_VOLATILE | BOOTSERVICE_ACCESS, bytes(1)),
  ],
  [
    'absent',
    'GetVariable, no such name',
    ({ runtime }) => observe(runtime.services.getVariable('None', VENDOR, ROOM)),
  ],
  [
    'other-guid',
    'GetVariable, other GUID',
    ({ runtime }) => observe(runtime.services.getVariable(NAME, EFI_GLOBAL_VARIABLE, ROOM)),
  ],
  [
    'null-name',
    'GetVariable, NULL name',
    ({ runtime }) => observe(runtime.services.getVariable(null, VENDOR, ROOM)),
  ],
  [
    'null-guid',
    'GetVariable, NULL GUID',
    ({ runtime }) => observe(runtime.services.getVariable(NAME, null, ROOM)),
  ],
  [
    'null-size',
    'GetVariable, NULL size',
    ({ runtime }) => observe(runtime.services.getVariable(NAME, VENDOR, ROOM, ['dataSize'])),
  ],
  [
    'null-data',
    'GetVariable, NULL data, room claimed',
    ({ runtime }) => observe(runtime.services.getVariable(NAME, VENDOR, ROOM, ['data'])),
  ],
  ['empty-name', 'SetVariable, empty name', (system) => write(system, PERSISTENT, bytes(1), 1, '')],
  [
    'set-null-name',
    'SetVariable, NULL name',
    (system) => write(system, PERSISTENT, bytes(1), 1, null),
  ],
  ['set-null-data', 'SetVariable, NULL data', (system) => write(system, PERSISTENT, null, 4)],
  [
    'runtime-alone',
    'SetVariable, RT without BS',
    (system) => write(system, NON_VOLATILE | RUNTIME_ACCESS, bytes(1), 1, 'Odd'),
  ],
  [
    'reserved-attribute',
    'SetVariable, reserved attribute',
    (system) => write(system, PERSISTENT | 0x100, bytes(1), 1, 'Odd'),
  ],
  [
    'boot-only',
    'SetVariable, BS alone',
    (system) => write(system, NON_VOLATILE | BOOTSERVICE_ACCESS, bytes(1), 1, 'Odd'),
  ],
  [
    'volatile',
    'SetVariable, volatile',
    (system) => write(system, BOOTSERVICE_ACCESS | RUNTIME_ACCESS, bytes(1), 1, 'Odd'),
  ],
  [
    'error-record',
    'SetVariable, error record, wrong GUID',
    (system) => write(system, PERSISTENT | HARDWARE_ERROR_RECORD, bytes(1), 1, 'HwErrRec0001'),
  ],
  [
    'unsigned',
    'SetVariable, authenticated, unsigned',
    (system) =>
      write(
        system,
        PERSISTENT | TIME_BASED_AUTHENTICATED_WRITE_ACCESS,
        bytes(1, 2, 3, 4),
        4,
        'Signed',
      ),
  ],
  [
    'huge',
    'SetVariable, 256 KiB',
    (system) => write(system, PERSISTENT, new Uint8Array(HUGE), HUGE, 'Huge'),
  ],
  [
    'read-only',
    'SetVariable, SetupMode',
    ({ runtime }) =>
      observe(
        runtime.services.setVariable(
          'SetupMode',
          EFI_GLOBAL_VARIABLE,
          BOOTSERVICE_ACCESS | RUNTIME_ACCESS,
          1,
          bytes(0),
        ),
      ),
  ],
  ['next-first', 'GetNextVariableName, first', (system) => next(system, NAME_BUFFER, '')],
  [
    'next-unknown',
    'GetNextVariableName, unknown name',
    (system) => next(system, NAME_BUFFER, 'Unknown'),
  ],
  ['next-small', 'GetNextVariableName, 2 bytes', (system) => next(system, 2, '')],
  ['next-null', 'GetNextVariableName, NULL size', (system) => next(system, null, '')],
  [
    'info',
    'QueryVariableInfo',
    ({ runtime }) =>
      observe(
        runtime.services.queryVariableInfo(PERSISTENT),
        (info) =>
          `${String(info.maximumVariableStorageSize)} ${String(info.remainingVariableStorageSize)} ${String(info.maximumVariableSize)}`,
      ),
  ],
  [
    'info-none',
    'QueryVariableInfo, attributes 0',
    ({ runtime }) => observe(runtime.services.queryVariableInfo(0)),
  ],
  [
    'info-null',
    'QueryVariableInfo, NULL',
    ({ runtime }) =>
      observe(runtime.services.queryVariableInfo(PERSISTENT, ['maximumVariableSize'])),
  ],
  [
    'delete',
    'delete, then read',
    (system) => thenRead(system, write(system, PERSISTENT, bytes(), 0)),
  ],
  ['delete-again', 'delete what is not there', (system) => write(system, PERSISTENT, bytes(), 0)],
  [
    'errno-absent',
    'efivarfs: read absent',
    ({ runtime }) => errno(runtime.variables.read('None', VENDOR)),
  ],
  [
    'errno-odd-order',
    'efivarfs: BootOrder of 3 bytes',
    ({ runtime }) =>
      errno(runtime.variables.write('BootOrder', EFI_GLOBAL_VARIABLE, PERSISTENT, bytes(1, 2, 3))),
  ],
  [
    'errno-attributes',
    'efivarfs: attributes 0x80',
    ({ runtime }) => errno(runtime.variables.write('Odd', VENDOR, 0x80, bytes(1))),
  ],
]);

const OPTION: LoadOption = {
  attributes: LoadOptionAttribute.ACTIVE,
  description: 'Compared',
  filePaths: [],
  optionalData: bytes(),
};

export const BOOT_ENTRY_OPERATIONS: readonly Operation[] = operations('boot entries', [
  [
    'create',
    'create Boot####, list',
    ({ runtime }) => {
      const created = runtime.bootEntries.create(OPTION, { number: 0x42 });
      if (!created.ok) return observe(created);
      return observe(
        runtime.bootEntries.list(),
        ({ order, entries }) =>
          `order ${order.join(',')}, ${entries.map(({ number }) => number.toString(16)).join(',')}`,
      );
    },
  ],
  [
    'delete',
    'delete it',
    ({ runtime }) => {
      const deleted = runtime.bootEntries.delete(0x42);
      if (!deleted.ok) return observe(deleted);
      return observe(
        runtime.bootEntries.list(),
        ({ order, entries }) => `order ${order.join(',')}, ${String(entries.length)} entries`,
      );
    },
  ],
]);
