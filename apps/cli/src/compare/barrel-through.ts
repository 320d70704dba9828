/**
 * What the review asks: "if we do barrel through them, what is the worst that will happen?" Every init step of bare metal is run in a
 * dom0 as it is, with the firmware's own system table, and what comes of each is written down. A step that takes the domain down is
 * left out from then on, and the rest runs again from the start.
 */
import { bindPlatform, createEfi, EFI_DONE, efiFail, EfiStatus } from '@systab/efi-core';
import type { EfiResult, PageMapping, PhysAddr } from '@systab/efi-core';
import { INIT_STEPS, initEfi } from '@systab/efi-init';
import type { InitStep } from '@systab/efi-init';
import { createBareMetalBackend } from '@systab/platform-baremetal';
import type { CallRecord, KernelEnvironment } from '@systab/platform-baremetal';
import { createDom0Environment, Dom0 } from '@systab/platform-xen';
import { callGuest } from '@systab/x86-emu';
import { TakeOverError } from '../system.ts';
import type { StartedDom0 } from './routes/dom0.ts';

/** How bad the outcome of a step is, the worst last. */
export const SEVERITIES = ['harmless', 'refused', 'domain lost'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What became of one step. */
export interface BarrelStep {
  readonly step: string;
  readonly severity: Severity;
  /** What happened, in words; empty for nothing. */
  readonly what: readonly string[];
  readonly hypercalls: number;
}

/** The steps in order, and the worst of them. */
export interface BarrelThrough {
  readonly steps: readonly BarrelStep[];
  readonly worst: Severity;
}

/** Instructions for a call into firmware that is not mapped, and for the hypervisor's verdict on it. */
const BUDGET = 20_000_000;
/** mov cr3, rdi; ret */
const LOAD_CR3 = Uint8Array.of(0x0f, 0x22, 0xdf, 0xc3);
/** mov rax, [rdi]; ret */
const READ_POINTER = Uint8Array.of(0x48, 0x8b, 0x07, 0xc3);

interface Attempt {
  /** Set when the domain is gone. */
  lost: string | undefined;
}

const describeCall = ({ service, outcome }: CallRecord): string =>
  outcome.kind === 'returned' || outcome.kind === 'left'
    ? `${service}: ${outcome.kind}`
    : `${service}: ${outcome.why}`;

/** The surroundings of bare metal with nothing adapted: the processor does what the kernel tells it, or not. */
const rawEnvironment = (dom0: Dom0, systemTable: PhysAddr, attempt: Attempt): KernelEnvironment => {
  const made = createDom0Environment(dom0, { runtimeStubs: false, memoryMap: 'firmware' });
  if (!made.ok) throw new TakeOverError(made.why ?? 'no surroundings for bare metal');
  /** Runs two instructions of the kernel's; false when the domain did not survive them. */
  const execute = (code: Uint8Array, argument: bigint, what: string): boolean => {
    const page = dom0.allocatePages(1);
    if (page === undefined) throw new TakeOverError('no memory for two instructions');
    dom0.store(page, code);
    const { exit, returned } = callGuest(dom0.machine, 'sysv-x64', page, [argument], {
      budget: BUDGET,
    });
    if (!returned) attempt.lost ??= `${what}: the hypervisor ended the domain (${exit.kind})`;
    return returned;
  };
  const installFirmwareTable = (mappings: readonly PageMapping[]): EfiResult<void> => {
    const what = `MOV CR3 with a table of ${String(mappings.length)} mappings`;
    return execute(LOAD_CR3, BigInt(systemTable), what) ? EFI_DONE : efiFail(EfiStatus.ABORTED);
  };
  return {
    ...made.value,
    systemTable,
    installFirmwareTable,
    // Every call starts with reading the pointer to the services out of the firmware's table.
    inFirmwareSpace: (work) => {
      if (attempt.lost === undefined)
        execute(READ_POINTER, BigInt(systemTable), 'reading the system table where it is');
      return work();
    },
    contain: (work) => work(),
  };
};

const runSteps = (
  started: StartedDom0,
  dom0: Dom0,
  systemTable: PhysAddr,
  skipped: ReadonlyMap<string, BarrelStep>,
): { readonly steps: readonly BarrelStep[]; readonly lostIn: string | undefined } => {
  const attempt: Attempt = { lost: undefined };
  const environment = rawEnvironment(dom0, systemTable, attempt);
  const tables = bindPlatform(
    createBareMetalBackend(environment, {
      budget: BUDGET,
      onCall: (call) => {
        if (call.outcome.kind !== 'returned') attempt.lost ??= describeCall(call);
      },
    }),
  );
  const steps: BarrelStep[] = [];
  const watched = INIT_STEPS.map(({ name, run }): InitStep => ({
    name,
    run: (context) => {
      const known = skipped.get(name);
      if (known !== undefined || attempt.lost !== undefined) {
        if (known !== undefined) steps.push(known);
        return;
      }
      const before = started.meter.cost.hypercalls;
      const lines = context.log.lines.length;
      const said = started.serial().length;
      run(context);
      const warnings = context.log.lines
        .slice(lines)
        .filter(({ level }) => level === 'err' || level === 'warn')
        .map(({ text }) => text);
      const console = started
        .serial()
        .slice(said)
        .split(/\r?\n/)
        .filter((line) => line.startsWith('(XEN)'));
      const severity: Severity =
        attempt.lost !== undefined ? 'domain lost' : warnings.length > 0 ? 'refused' : 'harmless';
      steps.push({
        step: name,
        severity,
        what: [...(attempt.lost === undefined ? [] : [attempt.lost]), ...warnings, ...console],
        hypercalls: started.meter.cost.hypercalls - before,
      });
    },
  }));
  initEfi(tables, { efi: createEfi(), commandLine: 'efi=debug', steps: watched });
  return { steps, lostIn: attempt.lost === undefined ? undefined : steps.at(-1)?.step };
};

/**
 * Runs the steps. `systemTable` is where the firmware's own table is; The machine stands at the domain's entry point.
 */
export const barrelThrough = (started: StartedDom0, systemTable: PhysAddr): BarrelThrough => {
  const { machine } = started.pc;
  const entry = machine.snapshot();
  const skipped = new Map<string, BarrelStep>();
  for (;;) {
    machine.restore(entry);
    const dom0 = new Dom0(machine, started.dom0.startInfo, {
      budget: BUDGET,
      onHypercall: ({ instructions }) =>
        started.meter.count({ hypercalls: 1, crossings: 1, instructions }),
    });
    const { steps, lostIn } = runSteps(started, dom0, systemTable, skipped);
    const last = steps.at(-1);
    if (lostIn === undefined || last === undefined) {
      const worst =
        SEVERITIES[Math.max(...steps.map(({ severity }) => SEVERITIES.indexOf(severity)))];
      return { steps, worst: worst ?? 'harmless' };
    }
    skipped.set(lostIn, last);
  }
};
