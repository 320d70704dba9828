import type { EfiResult, EfiRuntimeOps, PlatformTables } from '@systab/efi-core';
import { createEfiRuntime } from '@systab/efi-runtime';
import { CALLABLE_SERVICES, plainCall } from '../capability.ts';
import type { CallableService } from '../capability.ts';
import type { Check } from '../check.ts';
import { checksOf, told, yes } from '../check.ts';
import type { Running } from '../running.ts';
import { bytes } from './own-variable.ts';

const { check } = checksOf(
  'containment',
  'UEFI 2.10, 2.3; Linux, efi_crash_gracefully_on_page_fault',
  ['GetTime', 'damaged firmware'],
);
const GUARD = checksOf('re-entry', 'UEFI 2.10, 8.1', ['GetTime', 'GetVariable']);

/** x86 code that never comes back as it should, the same in 32-bit and 64-bit mode. */
const DAMAGES: readonly (readonly [string, Uint8Array])[] = [
  // mov eax, [0xf0000000]: nothing is mapped there. 64-bit code takes all eight bytes of the address.
  ['a page fault', bytes(0xa1, 0, 0, 0, 0xf0, 0, 0, 0, 0)],
  // mov [0xf0000000], eax
  ['a page fault in writing', bytes(0xa3, 0, 0, 0, 0xf0, 0, 0, 0, 0)],
  // xor ecx, ecx; jmp rcx
  ['a jump to nowhere', bytes(0xb9, 0, 0, 0, 0xf0, 0xff, 0xe1)],
  ['an invalid opcode', bytes(0x0f, 0x0b)],
  // xor ecx, ecx; div ecx
  ['a division by zero', bytes(0x31, 0xc9, 0xf7, 0xf1)],
  ['an endless loop', bytes(0xeb, 0xfe)],
  // cli; hlt
  ['a halt that nothing ends', bytes(0xfa, 0xf4)],
];

const overwrite = (
  { system }: Running,
  code: Uint8Array,
  service: CallableService = 'GetTime',
): void => {
  if (system.overwrite?.(service, code) !== true) throw new Error(`${service} cannot be damaged`);
};

/** Whether memory can be taken, written and read. */
const isMemoryAlive = ({ tables: { memory } }: Running): string => {
  const pages = memory.allocatePages({ pages: 1 });
  if (!pages.ok) return told(pages);
  const written = memory.write(pages.value, bytes(1, 2, 3));
  const read = memory.read(pages.value, 3);
  return yes(written.ok && read.ok && read.value.join() === '1,2,3');
};

const contains = (what: string, code: Uint8Array): Check =>
  check(
    what,
    (running) => {
      const { services, efi, runtime, log, system } = running;
      const before = told(services.getTime());
      overwrite(running, code);
      const failed = services.getTime();
      const calls = system.calls?.length;
      const others = CALLABLE_SERVICES.map((service) => told(plainCall(services, service)));
      return {
        before,
        damaged: told(failed),
        'says why': yes(!failed.ok && /\w/.test(failed.why ?? '')),
        'in the log': yes(log.some((line) => line.startsWith('efi: [Firmware Bug]: GetTime: '))),
        EFI_RUNTIME_SERVICES: yes(efi.facilities.enabled('EFI_RUNTIME_SERVICES')),
        'every service since': [...new Set(others)].join(),
        'the firmware was not entered again': yes(system.calls?.length === calls),
        clock: told(runtime.clock.now()),
        memory: isMemoryAlive(running),
      };
    },
    {
      before: 'EFI_SUCCESS',
      damaged: 'EFI_ABORTED',
      'says why': 'yes',
      'in the log': 'yes',
      EFI_RUNTIME_SERVICES: 'no',
      'every service since': 'EFI_DEVICE_ERROR',
      'the firmware was not entered again': 'yes',
      clock: 'EFI_DEVICE_ERROR',
      memory: 'yes',
    },
  );

/** A runtime half on a platform whose GetTime is interrupted by another call before it enters the firmware. */
const interrupted = (
  { efi, tables, system }: Running,
  overlap: 'never' | 'by the rules',
  during: (services: EfiRuntimeOps) => EfiResult<unknown>,
): Readonly<Record<string, string>> => {
  let inner = 'not asked';
  let entered = 0;
  const runtime: PlatformTables['runtime'] = {
    ...tables.runtime,
    getTime: (...args) => {
      const before = system.calls?.length ?? 0;
      inner = told(during(guarded.services));
      entered = (system.calls?.length ?? 0) - before;
      return tables.runtime.getTime(...args);
    },
  };
  const guarded = createEfiRuntime(efi, { ...tables, runtime }, { overlap });
  const outer = told(guarded.services.getTime());
  return { outer, inner, entered: String(entered), afterwards: told(guarded.services.getTime()) };
};

export const CONTAINMENT: readonly Check[] = [
  ...DAMAGES.map(([what, code]) => contains(what, code)),
  check(
    'a service that breaks the calling convention is seen and goes on',
    (running) => {
      // mov ebx, 0x55; std; xor eax, eax; ret
      overwrite(running, bytes(0xbb, 0x55, 0, 0, 0, 0xfd, 0x31, 0xc0, 0xc3));
      const result = running.services.getTime();
      const breaches = running.system.calls?.at(-1)?.breaches.join() ?? '';
      return {
        status: told(result),
        'preserved register': yes(/[re]bx/.test(breaches)),
        'direction flag': yes(breaches.includes('direction flag')),
        'other services': told(running.services.getVariable('None', null, 0)),
      };
    },
    {
      status: 'EFI_SUCCESS',
      'preserved register': 'yes',
      'direction flag': 'yes',
      'other services': 'EFI_INVALID_PARAMETER',
    },
    { needs: ['observed calls', 'GetVariable'] },
  ),
  check(
    'a time that cannot be is not passed on',
    (running) => {
      // xor eax, eax; ret: success, and nothing written
      overwrite(running, bytes(0x31, 0xc0, 0xc3));
      return {
        status: told(running.services.getTime()),
        clock: told(running.runtime.clock.now()),
        rtc: told(running.runtime.clock.readRtc()),
      };
    },
    { status: 'EFI_SUCCESS', clock: 'EFI_DEVICE_ERROR', rtc: 'EFI_DEVICE_ERROR' },
  ),
  check(
    'a reset that comes back is told as such',
    (running) => {
      overwrite(running, bytes(0x31, 0xc0, 0xc3), 'ResetSystem');
      const result = running.runtime.power.reboot();
      return {
        outcome: result.ok ? result.value : told(result),
        'services go on': told(running.services.getTime()),
      };
    },
    { outcome: 'returned', 'services go on': 'EFI_SUCCESS' },
    { needs: ['ResetSystem'] },
  ),
  GUARD.check(
    'one call at a time',
    (running) =>
      interrupted(running, 'never', (services) => services.getVariable('None', null, 16)),
    {
      outer: 'EFI_SUCCESS',
      inner: 'EFI_NOT_READY',
      entered: '0',
      afterwards: 'EFI_SUCCESS',
    },
  ),
  GUARD.check(
    'by the rules: GetVariable may overlap GetTime',
    (running) =>
      interrupted(running, 'by the rules', (services) => services.getVariable('None', null, 16)),
    {
      outer: 'EFI_SUCCESS',
      inner: 'EFI_INVALID_PARAMETER',
      entered: '1',
      afterwards: 'EFI_SUCCESS',
    },
    { needs: ['observed calls'] },
  ),
  GUARD.check(
    'by the rules: the clock services may not overlap',
    (running) => interrupted(running, 'by the rules', (services) => services.setTime(null)),
    {
      outer: 'EFI_SUCCESS',
      inner: 'EFI_NOT_READY',
      entered: '0',
      afterwards: 'EFI_SUCCESS',
    },
  ),
];
