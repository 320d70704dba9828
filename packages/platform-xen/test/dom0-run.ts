/** Machines with a hypervisor and the initial domain on them: the embedded pair of images, and unmodified Xen on OVMF. */
import { readFileSync } from 'node:fs';
import { BOOT_ONLY } from '@systab/efi-conformance';
import {
  blankVariableVolume,
  decodeVariableVolume,
  EFI_TIME_ZERO,
  encodeVariableVolume,
  setStoredVariable,
  VOLUME_GEOMETRY,
} from '@systab/efi-core';
import { requireTool } from '@systab/host-tools';
import type { SkippableContext } from '@systab/host-tools';
import { PcMachine } from '@systab/x86-emu';
import type { SnapshotContents, VmExit } from '@systab/x86-emu';
import {
  DOM0_LAYOUT,
  dom0Kernel,
  embeddedHypervisor,
  enterDom0,
  unifiedImage,
} from '../src/index.ts';
import type { Dom0, HypercallRecord } from '../src/index.ts';

/** What stands below the domain. */
export const HYPERVISORS = ['embedded', 'xen'] as const;
export type HypervisorName = (typeof HYPERVISORS)[number];

const read = (path: string | URL): Uint8Array => new Uint8Array(readFileSync(path));

export const hypervisorImage = (): Uint8Array => read(embeddedHypervisor);

/** A variable as it is put into a store. */
type StoredEdit = Parameters<typeof setStoredVariable>[1];

/** Code and variables. */
type Flash = readonly [Uint8Array, Uint8Array];

/** Makes another firmware of one. */
type ChangeFirmware = (image: Uint8Array) => Uint8Array;

/** The reference firmware comes as bytes, as firmware does; that a sibling ships it is no import of it. */
const referenceFlash = (change: ChangeFirmware = (image) => image): Flash => [
  change(read(new URL('../../platform-baremetal/images/reference-x64.fd', import.meta.url))),
  encodeVariableVolume(blankVariableVolume(VOLUME_GEOMETRY['2M'])),
];

const ovmfFlash = (): Flash => [
  read('/usr/share/OVMF/OVMF_CODE_4M.fd'),
  read('/usr/share/OVMF/OVMF_VARS_4M.fd'),
];

const MIB = 2 ** 20;
const BOOT_BUDGET = 3_000_000_000;

/** A machine that will start an image, and what it prints. */
export interface Machine0 {
  readonly pc: PcMachine;
  readonly text: () => string;
}

/** The store of a flash with a variable put in. */
const withVariable = ([code, store]: Flash, variable: StoredEdit | undefined): Flash => {
  if (variable === undefined) return [code, store];
  const volume = decodeVariableVolume(store);
  if (!volume.ok) throw new Error('the variable store cannot be read');
  const edited = setStoredVariable(volume.value, variable);
  if (!edited.ok) throw new Error(edited.error.kind);
  return [code, encodeVariableVolume(edited.value)];
};

/** What is put together to a machine. */
interface Parts {
  readonly flash: Flash;
  readonly memory: number;
  readonly image: Uint8Array;
  readonly loadOptions: string;
}

const machineWith = ({ flash, memory, image, loadOptions }: Parts): Machine0 => {
  let text = '';
  const pc = new PcMachine({
    memory,
    flash: flash.map((bytes, unit) => ({ image: bytes, readOnly: unit === 0 })),
    kernel: { kernel: image, cmdline: loadOptions },
    onSerial: (byte) => {
      text += String.fromCharCode(byte);
    },
  });
  return { pc, text: () => text };
};

/** The reference firmware with an image to start. */
export const onReferenceFirmware = (
  image: Uint8Array,
  loadOptions = 'hypervisor.efi',
  variable?: StoredEdit,
  change?: ChangeFirmware,
): Machine0 =>
  machineWith({
    flash: withVariable(referenceFlash(change), variable),
    memory: 256 * MIB,
    image,
    loadOptions,
  });

/** What a test may ask of the embedded hypervisor. */
export interface EmbeddedOptions {
  readonly options?: string;
  readonly commandLine?: string;
  readonly loadOptions?: string;
  readonly kernel?: Uint8Array;
  /** In the store when the firmware starts. */
  readonly variable?: StoredEdit;
  readonly firmware?: ChangeFirmware;
}

/** The embedded hypervisor on the reference firmware, from power-on. */
export const embedded = ({
  options = 'noreboot',
  commandLine = '',
  loadOptions = 'hypervisor.efi',
  kernel = dom0Kernel(),
  variable,
  firmware,
}: EmbeddedOptions = {}): Machine0 => {
  const hypervisor = hypervisorImage();
  return onReferenceFirmware(
    unifiedImage({ hypervisor, kernel, options, commandLine }),
    loadOptions,
    variable,
    firmware,
  );
};

/** Runs to the entry point of the domain, or to wherever it ends. */
export const runToEntry = ({ pc }: Machine0): VmExit =>
  pc.run({ budget: BOOT_BUDGET, until: DOM0_LAYOUT.entry });

/** What a test may ask of Xen. */
interface XenOptions {
  readonly options?: string;
  readonly switches?: readonly string[];
  readonly variable?: StoredEdit | undefined;
}

const xen = (
  context: SkippableContext,
  { options = '', switches = [], variable }: XenOptions,
): Machine0 => {
  requireTool(context, 'ovmf');
  const image = unifiedImage({
    hypervisor: read(requireTool(context, 'xen')),
    kernel: dom0Kernel(),
    options: `console=com1 com1=115200,8n1 dom0_mem=64M noreboot ${options}`.trimEnd(),
    commandLine: 'from a section',
  });
  const flash = withVariable(ovmfFlash(), variable);
  return machineWith({
    flash,
    memory: 512 * MIB,
    image,
    loadOptions: ['xen.efi', ...switches].join(' '),
  });
};

/** A domain at its entry point. */
export interface RunningDom0 extends Machine0 {
  readonly dom0: Dom0;
  readonly hypercalls: HypercallRecord[];
}

/** Takes the domain over; throws when there is none. */
export const takeOver = (machine: Machine0, budget?: number): RunningDom0 => {
  const hypercalls: HypercallRecord[] = [];
  const entered = enterDom0(machine.pc.machine, {
    onHypercall: (record) => hypercalls.push(record),
    ...(budget === undefined ? {} : { budget }),
  });
  if (!entered.ok) throw new Error(entered.error.why);
  hypercalls.length = 0;
  return { ...machine, dom0: entered.value, hypercalls };
};

const bootedDom0 = (machine: Machine0): RunningDom0 => {
  const exit = runToEntry(machine);
  if (exit.kind !== 'until') throw new Error(`${exit.kind}\n${machine.text()}`);
  return takeOver(machine);
};

/** Boots the embedded hypervisor with these options. */
export const embeddedDom0 = (options: EmbeddedOptions = {}): RunningDom0 =>
  bootedDom0(embedded(options));

/** Boots unmodified Xen on OVMF with these options. */
export const xenDom0 = (context: SkippableContext, options: XenOptions): RunningDom0 =>
  bootedDom0(xen(context, options));

/** Makes machines that are booted once, and gone back to after that. */
const bootOnce = (
  variable?: StoredEdit,
): ((context: SkippableContext, name: HypervisorName) => Machine0) => {
  const booted = new Map<
    HypervisorName,
    { readonly machine: Machine0; readonly state: SnapshotContents }
  >();
  return (context, name) => {
    let known = booted.get(name);
    if (known === undefined) {
      const machine =
        name === 'embedded'
          ? embedded({ commandLine: 'from a section', ...(variable ? { variable } : {}) })
          : xen(context, { variable });
      const exit = runToEntry(machine);
      if (exit.kind !== 'until') throw new Error(`${exit.kind}\n${machine.text()}`);
      known = { machine, state: machine.pc.machine.snapshot() };
      booted.set(name, known);
    } else known.machine.pc.machine.restore(known.state);
    const { machine } = known;
    const before = machine.text().length;
    return { pc: machine.pc, text: () => machine.text().slice(before) };
  };
};

const plain = bootOnce();

/** The signed updates that the conformance suite sends. */
export const SIGNED_UPDATES: Uint8Array = readFileSync(
  new URL('../../../guest/firmware/test/auth-vectors.bin', import.meta.url),
);

/** With the variable that the conformance suite wants to find. */
export const bootedWithBootOnly: ReturnType<typeof bootOnce> = bootOnce({
  ...BOOT_ONLY,
  timeStamp: EFI_TIME_ZERO,
});

/** A fresh domain on a hypervisor. */
export const freshDom0 = (context: SkippableContext, name: HypervisorName): RunningDom0 =>
  takeOver(plain(context, name));
