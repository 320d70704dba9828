// Options of a hypervisor as text, and what each of them does to the embedded one.
import { bindPlatform, EfiStatus, guid } from '@systab/efi-core';
import type { BoundPlatform, EfiResult } from '@systab/efi-core';
import type { SkippableContext } from '@systab/host-tools';
import { describe, expect, it, vi } from 'vitest';
import { parseHypervisorOptions, switchesNotIn, xenBackend } from '../src/index.ts';
import {
  embedded,
  embeddedDom0,
  hypervisorImage,
  HYPERVISORS,
  runToEntry,
  xenDom0,
} from './dom0-run.ts';
import type { EmbeddedOptions, HypervisorName, RunningDom0 } from './dom0-run.ts';

vi.setConfig({ testTimeout: 60_000 });

/** A domain of a hypervisor that was told this. */
const told = (text: string, more: EmbeddedOptions = {}): RunningDom0 => {
  const { options, switches } = parseHypervisorOptions(text);
  return embeddedDom0({
    ...more,
    options,
    loadOptions: ['hypervisor.efi', ...switches].join(' '),
  });
};

describe('a text of options', () => {
  it('is taken apart', () => {
    expect(parseHypervisorOptions('')).toEqual({
      options: '',
      switches: [],
      runtimeServices: true,
      keepsBootServices: false,
    });
    expect(parseHypervisorOptions('  -mapbs efi=attr=uc,no-rs\tdom0_mem=32M -noexitboot ')).toEqual(
      {
        options: 'efi=attr=uc,no-rs dom0_mem=32M',
        switches: ['-mapbs', '-noexitboot'],
        runtimeServices: false,
        keepsBootServices: true,
      },
    );
  });

  it.each([
    ['efi=rs', true],
    ['efi=no-rs efi=rs', true],
    ['efi=rs=0', false],
    ['efi=rs,rs=off', false],
    ['efi=rs=enable', true],
    ['efi=attr=no', true],
  ])('%s: the last word about runtime services holds', (text, runtimeServices) => {
    expect(parseHypervisorOptions(text)).toMatchObject({ options: text, runtimeServices });
  });

  it.each([
    ['efi=', "'efi=': '' is none of rs, no-rs, rs=<yes or no>, attr=uc, attr=no"],
    ['efi=norts', "'efi=norts': 'norts' is none of"],
    ['efi=rs=maybe', "'rs=maybe' is none of"],
    ['efi=attr=wb', "'attr=wb' is none of"],
    ['attr=uc', "'attr=uc' is written efi=attr=uc"],
    ['no-rs', "'no-rs' is written efi=no-rs"],
    ['mapbs', "'mapbs' is written -mapbs"],
    ['noexitboot', "'noexitboot' is written -noexitboot"],
    ['-cfg=other.cfg', "'-cfg=other.cfg' is no switch of the loader: -basevideo, -mapbs"],
    ['-- noreboot', "'--' is no switch"],
    ['noreboot\ndom0_mem=1G', 'expected one line of ASCII characters'],
    ['x'.repeat(1024), '1024 characters, expected at most 1023'],
  ])('%j is refused', (text, why) => {
    expect(() => parseHypervisorOptions(text)).toThrow(RangeError);
    expect(() => parseHypervisorOptions(text)).toThrow(why);
  });

  it('names switches that an image does not have', () => {
    const options = parseHypervisorOptions('-mapbs -noexitboot -basevideo');
    expect(switchesNotIn(hypervisorImage(), options)).toEqual(['-basevideo']);
    const utf16 = new Uint8Array(Buffer.from('..mapbs', 'utf16le'));
    expect(switchesNotIn(utf16, options)).toEqual(['-noexitboot', '-basevideo']);
    expect(switchesNotIn(new Uint8Array(3), options)).toHaveLength(3);
  });
});

const bind = ({ dom0 }: RunningDom0): BoundPlatform => bindPlatform(xenBackend(dom0));

const BOOT_MS = 120_000;

describe.each(HYPERVISORS)('%s', (name: HypervisorName) => {
  const bootWith = (context: SkippableContext, text: string): RunningDom0 =>
    name === 'embedded' ? told(`noreboot ${text}`) : xenDom0(context, parseHypervisorOptions(text));

  it(
    'efi=no-rs -mapbs: no service is called, who made the firmware is forgotten, boot services are mapped',
    { timeout: BOOT_MS },
    (context) => {
      const running = bootWith(context, 'efi=no-rs -mapbs loglvl=all');
      const { runtime, init } = bind(running);
      expect(runtime.getTime()).toMatchObject({ ok: false, status: EfiStatus.UNSUPPORTED });
      expect(running.hypercalls.at(-1)?.outcome).toEqual({ kind: 'failed', errno: 'EOPNOTSUPP' });
      running.hypercalls.length = 0;
      expect(init.locateSystemTable().ok).toBe(true);
      // Of everything about the firmware only its name is refused.
      const failed = running.hypercalls.filter(({ outcome }) => outcome.kind === 'failed');
      expect(failed.map(({ outcome }) => outcome)).toEqual([
        { kind: 'failed', errno: 'EOPNOTSUPP' },
      ]);
      expect(running.text()).toContain('EFI memory map: (mapping BootServices)');
    },
  );
});

const VENDOR = guid('12345678-1234-1234-1234-123456789abc');
const NON_VOLATILE_RUNTIME = 7;

/** MOV r64, imm64. */
const isMoveOfImmediate = (rex: number, opcode: number): boolean =>
  (rex === 0x48 || rex === 0x49) && opcode >= 0xb8 && opcode <= 0xbf;

/** The window of the flash, and what the firmware's map says about it: a runtime region, uncacheable. */
const FLASH_WINDOW = 0xfffc_0000;
const UNCACHEABLE_RUNTIME = 0x8000_0000_0000_0001n;
/** Bytes of code between the two constants. */
const NEAR = 48;

/** The reference firmware with a memory map that names no cacheability for its flash: UC taken out of the constant for it. */
const withoutCacheability = (firmware: Uint8Array): Uint8Array => {
  const changed = firmware.slice();
  const view = new DataView(changed.buffer);
  const isNearWindow = (at: number): boolean =>
    Array.from({ length: 2 * NEAR }, (_, index) => at - NEAR + index).some(
      (place) => place >= 0 && view.getUint32(place, true) === FLASH_WINDOW,
    );
  const places = Array.from({ length: changed.length - 2 * NEAR }, (_, at) => at).filter(
    (at) =>
      isMoveOfImmediate(view.getUint8(at), view.getUint8(at + 1)) &&
      view.getBigUint64(at + 2, true) === UNCACHEABLE_RUNTIME &&
      isNearWindow(at),
  );
  if (places.length !== 1) throw new Error(`${String(places.length)} places, expected 1`);
  view.setBigUint64((places[0] ?? 0) + 2, UNCACHEABLE_RUNTIME - 1n, true);
  return changed;
};

describe('memory that the firmware names no cacheability for', () => {
  const booted = (text: string): RunningDom0 => told(text, { firmware: withoutCacheability });
  const setVariable = (running: RunningDom0): EfiResult<void> =>
    bind(running).runtime.setVariable('A', VENDOR, NON_VOLATILE_RUNTIME, 1, Uint8Array.of(1));

  it('is not mapped: the firmware faults on its flash when the hypervisor asks for the time', () => {
    const machine = embedded({ firmware: withoutCacheability });
    expect(runToEntry(machine).kind).toBe('halt');
    expect(machine.text()).toContain('Unknown cachability for MFNs fffc0-fffff');
    expect(machine.text()).toContain('FATAL PAGE FAULT, faulting linear address: 00000000fffc');
  });

  it('is mapped uncached with efi=attr=uc', () => {
    const running = booted('noreboot efi=attr=uc');
    expect(running.text()).not.toContain('Unknown cachability');
    expect(setVariable(running)).toMatchObject({ ok: true });
  });
});
