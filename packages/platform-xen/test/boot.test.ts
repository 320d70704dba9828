// From power-on to the domain: options of the hypervisor, and everything that can be wrong with what it is given.
import { describe, expect, it, vi } from 'vitest';
import { appendSections, bootDom0, dom0Kernel, enterDom0, unifiedImage } from '../src/index.ts';
import { DOM0_LAYOUT, shutDown, xenBackend } from '../src/index.ts';
import { bindPlatform, EFI_RUNTIME_SERVICES, EfiStatus, guid } from '@systab/efi-core';
import type { BoundPlatform } from '@systab/efi-core';
import type { VmExit } from '@systab/x86-emu';
import {
  embedded,
  embeddedDom0,
  hypervisorImage,
  onReferenceFirmware,
  runToEntry,
  takeOver,
} from './dom0-run.ts';
import type { EmbeddedOptions, Machine0, RunningDom0 } from './dom0-run.ts';

vi.setConfig({ testTimeout: 60_000 });

const VENDOR = guid('12345678-1234-1234-1234-123456789abc');
const bind = ({ dom0 }: RunningDom0): BoundPlatform => bindPlatform(xenBackend(dom0));

/** Lines of the hypervisor, without its prefix. */
const lines = (text: string): readonly string[] =>
  text.split('\r\n').flatMap((line) => (line.startsWith('(XEN) ') ? [line.slice(6)] : []));

describe('a boot of the embedded hypervisor', () => {
  it('says what it found in the words of Xen', () => {
    const { text } = embeddedDom0({ options: 'noreboot dom0_mem=32M' });
    const said = lines(text());
    expect(said[0]).toBe('Systab hypervisor, Xen ABI 4.17');
    expect(said).toContain('Command line: noreboot dom0_mem=32M');
    expect(said).toContain('EFI RAM map:');
    expect(said).toContain(' [0000000000000000, 000000000009ffff] (usable)');
    expect(said).toContain(' 00000fffc0000-00000ffffffff type=11 attr=8000000000000001');
    const from = said.indexOf('VIRTUAL MEMORY ARRANGEMENT:');
    expect(said.slice(from + 1)).toEqual([
      ' Loaded kernel: 0000004000000000->0000004000412000',
      ' Phys-Mach map: 0000004000412000->0000004000422000',
      ' Start info:    0000004000422000->0000004000422490',
      ' Page tables:   0000004000423000->000000400042a000',
      ' Boot stack:    000000400042a000->000000400042b000',
      ' TOTAL:         0000004000000000->0000004000800000',
      ' ENTRY ADDRESS: 0000004000000000',
      '*** Serial input to DOM0',
    ]);
  });

  it('takes as few instructions as a test can afford', () => {
    const machine = embedded();
    runToEntry(machine);
    expect(machine.pc.machine.retired).toBeLessThan(6_000_000);
  });

  it('maps and keeps boot services with -mapbs', () => {
    const plain = embeddedDom0();
    const kept = embeddedDom0({ loadOptions: 'hypervisor.efi -mapbs' });
    const low = ' [0000000000000000, 0000000000000fff] (reserved)';
    expect(plain.text()).not.toContain(low);
    expect(kept.text()).toContain(low);
    expect(lines(kept.text())).toContain('EFI memory map: (mapping BootServices)');
    const { runtime } = bind(kept);
    expect(runtime.getTime().ok).toBe(true);
  });

  it('leaves boot services running with -noexitboot', () => {
    const set = (running: RunningDom0): bigint => {
      const done = bind(running).runtime.setVariable('Boot', VENDOR, 2, 1, Uint8Array.of(1));
      return done.ok ? 0n : done.status;
    };
    // A variable without runtime access can be written by nobody but boot services' users.
    expect(set(embeddedDom0())).toBe(EfiStatus.INVALID_PARAMETER);
    expect(set(embeddedDom0({ loadOptions: 'hypervisor.efi -noexitboot' }))).toBe(0n);
  });

  it.each(['efi=no-rs', 'efi=rs=no', 'efi=attr=uc,rs=0'])(
    'calls no runtime service with %s',
    (option) => {
      const running = embeddedDom0({ options: option });
      const { runtime } = bind(running);
      const time = runtime.getTime();
      expect(time).toMatchObject({ ok: false, status: EfiStatus.UNSUPPORTED });
      expect(!time.ok && time.why).toContain('-EOPNOTSUPP');
      expect(running.hypercalls.at(-1)?.outcome).toEqual({ kind: 'failed', errno: 'EOPNOTSUPP' });
      // The way out does not need them.
      expect(shutDown(running.dom0, 'reboot')).toEqual({ ok: true, value: 'restarted' });
    },
  );

  /** A boot during which the flash loses its cacheability in the memory map, after ExitBootServices. */
  const bootWithoutCacheability = (options: string): Machine0 & { readonly exit: VmExit } => {
    const machine = embedded({ options });
    const { pc, text } = machine;
    while (!text().includes('EFI RAM map:'))
      expect(pc.run({ budget: 20_000 })).toEqual({ kind: 'budget' });
    expect(text()).not.toContain('EFI memory map:');
    const ram = Buffer.from(pc.machine.memory.read(0, 256 * 2 ** 20));
    // Type EfiMemoryMappedIO, padding, the flash's address, no virtual address, 64 pages, UC and RUNTIME.
    const words = [11n, 0xfffc_0000n, 0n, 0x40n, 0x8000_0000_0000_0001n];
    const descriptor = new Uint8Array(new BigUint64Array(words).buffer);
    // The firmware and its applications left copies.
    for (let at = ram.indexOf(descriptor); at >= 0; at = ram.indexOf(descriptor, at + 8))
      pc.machine.memory.write(at + 32, Uint8Array.of(0));
    return { ...machine, exit: runToEntry(machine) };
  };
  const FLASH_IS_STRANGE = 'Unknown cachability for MFNs fffc0-fffff';

  it('does not map what has no cacheability, and ends with who touches it', () => {
    const { text, exit } = bootWithoutCacheability('noreboot');
    expect(lines(text())).toContain(FLASH_IS_STRANGE);
    // The firmware itself, when it is asked for the time.
    expect(text()).toMatch(/FATAL PAGE FAULT, faulting linear address: 00000000fff/u);
    expect(exit).toEqual({ kind: 'halt' });
  });

  it('maps that uncached with efi=attr=uc', () => {
    const machine = bootWithoutCacheability('noreboot efi=attr=uc');
    expect(machine.exit).toEqual({ kind: 'until' });
    expect(lines(machine.text())).not.toContain(FLASH_IS_STRANGE);
    const { runtime } = bind(takeOver(machine));
    expect(runtime.setVariable('A', VENDOR, 7, 1, Uint8Array.of(1)).ok).toBe(true);
  });

  it('takes options behind -- of the load options as well', () => {
    const { text } = embeddedDom0({
      options: 'noreboot',
      loadOptions: 'hypervisor.efi -- efi=attr=uc dom0_mem=16M',
    });
    expect(lines(text())).toContain('Command line: noreboot efi=attr=uc dom0_mem=16M');
  });

  it('halts, restarts or crashes as it is asked', () => {
    const halted = embeddedDom0();
    expect(shutDown(halted.dom0, 'poweroff')).toEqual({ ok: true, value: 'halted' });
    expect(lines(halted.text()).at(-1)).toBe('Hardware Dom0 halted: halting machine');
    // And stays so.
    expect(shutDown(halted.dom0, 'reboot')).toEqual({ ok: true, value: 'halted' });
    const crashed = embeddedDom0();
    expect(shutDown(crashed.dom0, 'crash')).toEqual({ ok: true, value: 'halted' });
    expect(lines(crashed.text()).slice(-2)).toEqual([
      'Hardware Dom0 crashed: rebooting machine',
      "'noreboot' set - not rebooting.",
    ]);
    const restarted = embeddedDom0({ options: '' });
    expect(shutDown(restarted.dom0, 'crash')).toEqual({ ok: true, value: 'restarted' });
  });
});

/** What is said on a boot that ends before the domain. */
const failedBoot = (options: EmbeddedOptions): string => {
  const machine = embedded(options);
  const exit = runToEntry(machine);
  expect(exit.kind).toBe('halt');
  return machine.text();
};

/** The kernel with bytes changed at offsets. */
const changedKernel = (
  ...changes: readonly (readonly [number, readonly number[]])[]
): Uint8Array => {
  const kernel = dom0Kernel();
  for (const [at, bytes] of changes) kernel.set(bytes, at);
  return kernel;
};

const noteAt = (type: number): number => {
  const kernel = dom0Kernel();
  const view = new DataView(kernel.buffer);
  for (let at = 64 + 2 * 56; at < 4096;) {
    if (view.getUint32(at + 8, true) === type) return at;
    at += 12 + 4 + ((view.getUint32(at + 4, true) + 3) & ~3);
  }
  throw new Error('no such note');
};

describe('a kernel that is none', () => {
  const ENTRY = 1;
  const HYPERCALL_PAGE = 2;
  const VIRT_BASE = 3;
  const XEN_VERSION = 5;
  it.each([
    ['text', new TextEncoder().encode('not a kernel'), 'not an ELF file for x86-64'],
    ['for another processor', changedKernel([18, [40, 0]]), 'not an ELF file for x86-64'],
    ['cut off', dom0Kernel().slice(0, 0x1800), 'a segment is beyond the end of the file'],
    [
      'with headers that are not there',
      changedKernel([32, [0, 0, 0, 0x7f]]),
      'the program headers are beyond the end of the file',
    ],
    [
      'larger in the file than in memory',
      changedKernel([64 + 40, [1, 0, 0, 0, 0, 0, 0, 0]]),
      'a segment is larger in the file than in memory',
    ],
    ['with nothing to load', changedKernel([64, [6]]), 'there is nothing to load'],
    [
      'for no Xen',
      changedKernel([noteAt(XEN_VERSION) + 16, [0x79]]),
      'no note XEN_VERSION that begins with xen-3.0',
    ],
    [
      'with an entry outside',
      changedKernel([noteAt(ENTRY) + 16 + 4, [0x41]]),
      'ENTRY or VIRT_BASE do not fit the segments',
    ],
    [
      'with a hypercall page outside',
      changedKernel([noteAt(HYPERCALL_PAGE) + 16 + 3, [0x7f]]),
      'HYPERCALL_PAGE is not a page of the image',
    ],
    [
      'in the hypervisor’s part of the address space',
      changedKernel(
        ...[VIRT_BASE, ENTRY, HYPERCALL_PAGE].map(
          (type) => [noteAt(type) + 16 + 4, [0, 0x80, 0xff, 0xff]] as const,
        ),
      ),
      'DOM0 image overlaps with Xen private area.',
    ],
  ])('%s: a clear end', (_, kernel, why) => {
    const text = failedBoot({ kernel });
    expect(lines(text)).toContain(`Dom0 kernel: ${why}`);
    expect(text).toContain('Panic on CPU 0:\r\n(XEN) Could not construct domain 0');
  });

  it('does not fit the memory it gets', () => {
    const text = failedBoot({ options: 'noreboot dom0_mem=4M' });
    expect(lines(text)).toContain('Domain 0 allocation is too small for kernel image');
  });

  it('restarts the machine where that is not forbidden', () => {
    const machine = embedded({ kernel: Uint8Array.of(1, 2, 3), options: '' });
    expect(runToEntry(machine)).toMatchObject({ kind: 'shutdown', event: 'reset' });
  });
});

/** What the firmware shows of an image that gives up while boot services are there; the firmware switches off then. */
const givenUp = (image: Uint8Array, cmdline?: string): string => {
  const machine = onReferenceFirmware(image, cmdline);
  const booted = bootDom0(machine.pc, { bootBudget: 1e9 });
  expect(booted).toMatchObject({
    ok: false,
    error: {
      kind: 'not reached',
      why: 'the machine was switched off before the entry point of dom0',
    },
  });
  return machine.text();
};

describe('an image that is not complete', () => {
  const hypervisor = hypervisorImage();
  const section = (name: string, text: string) => ({ name, bytes: new TextEncoder().encode(text) });
  it.each([
    ['no configuration', hypervisor, 'No configuration file found.'],
    [
      'no kernel section',
      appendSections(hypervisor, [section('.config', '[global]\ndefault=a\n[a]\nkernel=k\n')]),
      'The image has no initial domain kernel: no section .kernel.',
    ],
    [
      'no kernel line',
      appendSections(hypervisor, [section('.config', '[global]\ndefault=a\n[b]\nkernel=k\n')]),
      'No initial domain kernel specified.',
    ],
    [
      'a command line of 2000 characters',
      unifiedImage({ hypervisor, kernel: dom0Kernel(), commandLine: 'x'.repeat(2000) }),
      'The kernel’s command line is too long.'.replace('’', "'"),
    ],
    [
      'more memory than there is',
      unifiedImage({ hypervisor, kernel: dom0Kernel(), options: 'dom0_mem=4G' }),
      'Not enough RAM for domain 0 allocation.',
    ],
    [
      'no memory',
      unifiedImage({ hypervisor, kernel: dom0Kernel(), options: 'dom0_mem=0' }),
      'Not enough RAM for domain 0 allocation.',
    ],
  ])('%s: back to the firmware', (_, image, why) => {
    expect(givenUp(image)).toContain(why);
  });

  it('an option that it does not know: back to the firmware', () => {
    const image = unifiedImage({ hypervisor, kernel: dom0Kernel() });
    expect(givenUp(image, 'hypervisor.efi -surprise')).toContain('Unknown load option.');
  });

  it('no PE image: the firmware does not start it', () => {
    const image = unifiedImage({ hypervisor, kernel: dom0Kernel() });
    image.set([0, 0], 0);
    expect(givenUp(image)).toBe('');
  });
});

describe('taking the domain over', () => {
  it('says where the boot stopped', () => {
    const { pc } = embedded();
    const booted = bootDom0(pc, { bootBudget: 100_000 });
    expect(booted).toMatchObject({
      ok: false,
      error: {
        kind: 'not reached',
        exit: { kind: 'budget' },
        why: 'the budget of instructions is used up before the entry point of dom0',
      },
    });
  });

  it('takes nothing for Xen that is not', () => {
    const machine = embedded();
    runToEntry(machine);
    const { pc } = machine;
    const state = pc.machine.snapshot();
    pc.machine.writeLinear(pc.machine.readRegister('rsi'), Uint8Array.of(0x78, 0x65, 0x6f));
    expect(enterDom0(pc.machine)).toMatchObject({ ok: false, error: { kind: 'no Xen' } });
    pc.machine.restore(state);
    pc.machine.writeRegister('rsi', 0x1234n);
    expect(enterDom0(pc.machine)).toMatchObject({ ok: false, error: { kind: 'no Xen' } });
    pc.machine.restore(state);
    const stub = DOM0_LAYOUT.hypercallPage + 17n * 32n;
    // mov eax, 0x50000; ret
    pc.machine.writeLinear(stub, Uint8Array.of(0xb8, 0, 0, 5, 0, 0xc3));
    expect(enterDom0(pc.machine)).toMatchObject({
      ok: false,
      error: { kind: 'unsupported Xen', version: '5.0' },
    });
    // mov rax, -38; ret
    pc.machine.writeLinear(stub, Uint8Array.of(0x48, 0xc7, 0xc0, 0xda, 0xff, 0xff, 0xff, 0xc3));
    expect(enterDom0(pc.machine)).toMatchObject({ ok: false, error: { kind: 'no Xen' } });
  });

  it('ends a hypercall that uses up its budget, and every one after it', () => {
    const machine = embedded();
    runToEntry(machine);
    const running = takeOver(machine, 200);
    const time = bind(running).runtime.getTime();
    expect(time).toMatchObject({ ok: false, status: EfiStatus.ABORTED });
    expect(!time.ok && time.why).toMatch(/^XEN_EFI_get_time \(GetTime\): 200 instructions used up/);
    expect(running.dom0.hypercall('xen_version', [0n, 0n]).kind).toBe('hung');
  });
});

describe('what goes wrong under the hypervisor', () => {
  it('an exception of the domain ends it', () => {
    const { pc, text } = embeddedDom0();
    // The entry point is UD2.
    expect(pc.run({ budget: 10_000_000 }).kind).toBe('halt');
    const said = lines(text());
    expect(said).toContain('d0v0 Unhandled exception: no trap table is registered');
    expect(said).toContain('Domain 0 (vcpu#0) crashed on cpu#0:');
    expect(text()).toMatch(/RIP: {4}e033:\[<0000004000000000>\]/u);
  });

  /** Where the firmware's runtime services table is: in the last MiB of RAM. */
  const runtimeTable = ({ pc }: RunningDom0): number => {
    const from = 255 * 2 ** 20;
    const at = Buffer.from(pc.machine.memory.read(from, 2 ** 20)).indexOf('RUNTSERV', 0, 'latin1');
    expect(at).toBeGreaterThan(0);
    return from + at;
  };

  it('a fault in the firmware ends the machine, and the domain hears of it', () => {
    const running = embeddedDom0();
    const { pc, dom0, text } = running;
    const { runtime } = bind(running);
    const pointer = new Uint8Array(new BigUint64Array([0x12_3456_7000n]).buffer);
    const field = runtimeTable(running) + EFI_RUNTIME_SERVICES.offsetOf('GetTime');
    pc.machine.memory.write(field, pointer);
    const time = runtime.getTime();
    expect(time).toMatchObject({ ok: false, status: EfiStatus.ABORTED });
    expect(!time.ok && time.why).toBe('the machine was halted in XEN_EFI_get_time (GetTime)');
    expect(text()).toContain('FATAL PAGE FAULT, faulting linear address: 0000001234567000');
    expect(dom0.hypercall('xen_version', [0n, 0n])).toEqual({ kind: 'left', how: 'halted' });
  });

  it('a firmware that claims more than there was room for is not believed', () => {
    const running = embeddedDom0();
    const { pc } = running;
    const { runtime } = bind(running);
    const replace = (service: 'GetVariable' | 'GetNextVariableName', code: readonly number[]) => {
      const field = runtimeTable(running) + EFI_RUNTIME_SERVICES.offsetOf(service);
      const bytes = pc.machine.memory.read(field, 8);
      const entry = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
      pc.machine.memory.write(Number(entry), Uint8Array.from(code));
    };
    // mov qword [r9], 0x100000; xor eax, eax; ret: a megabyte of success
    replace('GetVariable', [0x49, 0xc7, 0x01, 0, 0, 0x10, 0, 0x31, 0xc0, 0xc3]);
    expect(runtime.getVariable('A', VENDOR, 16)).toMatchObject({
      status: EfiStatus.UNSUPPORTED,
      why: '-EFAULT from XEN_EFI_get_variable (GetVariable)',
    });
    // mov qword [rcx], 0x100000; xor eax, eax; ret: the caller's size counts, and the claim is passed on
    replace('GetNextVariableName', [0x48, 0xc7, 0x01, 0, 0, 0x10, 0, 0x31, 0xc0, 0xc3]);
    const next = runtime.getNextVariableName(64, new Uint8Array(64), VENDOR);
    expect(next).toMatchObject({ ok: true, value: { variableNameSize: 0x10_0000 } });
    expect(next.ok && next.value.variableName).toEqual(new Uint8Array(64));
  });
});
