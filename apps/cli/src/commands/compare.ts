import { existsSync } from 'node:fs';
import { ImageFormatError, parseHypervisorOptions, switchesNotIn } from '@systab/platform-xen';
import type { HypervisorOptions } from '@systab/platform-xen';
import { barrelThrough } from '../compare/barrel-through.ts';
import type { BarrelThrough } from '../compare/barrel-through.ts';
import { compareRuns, runRoutes } from '../compare/comparison.ts';
import type { Comparison } from '../compare/comparison.ts';
import { explanationsFor } from '../compare/explanations.ts';
import { reportHtml } from '../compare/report-html.ts';
import { reportText } from '../compare/report-text.ts';
import type { ReportHead } from '../compare/report-text.ts';
import { ROUTE_NAMES } from '../compare/route.ts';
import type { MemoryMapChoice, RouteName } from '../compare/route.ts';
import { ROUTES } from '../compare/routes/all.ts';
import { embeddedFirmware } from '../compare/routes/firmware.ts';
import type { ComparedFirmware } from '../compare/routes/firmware.ts';
import { embeddedHypervisor, startDom0 } from '../compare/routes/dom0.ts';
import type { ComparedHypervisor } from '../compare/routes/dom0.ts';
import { REVIEW_2013 } from '../compare/scenario/review-2013.ts';
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { isReference, loadFirmware } from '../firmware-files.ts';
import { readInput } from '../input-file.ts';
import { replaceFile } from '../flash-file.ts';
import { TakeOverError } from '../system.ts';
import type { Terminal } from '../terminal.ts';

/** The options of `systab compare`. */
export interface CompareOptions {
  /** `reference`, `ovmf`, or a file. */
  readonly firmware: string;
  readonly code?: string;
  readonly vars?: string;
  /** `embedded`, `xen` for the installed one, or a file. */
  readonly hypervisor: string;
  /** Words of its command line, and switches of its loader. */
  readonly hypervisorOptions: string;
  /** Bytes; the default depends on the firmware. */
  readonly memory?: number;
  /** What memory map a domain gets. */
  readonly memoryMap: MemoryMapChoice;
  /** Default: every one. */
  readonly route: readonly RouteName[];
  /** Equal rows too. */
  readonly all: boolean;
  /** Run the init steps of bare metal under the hypervisor as well. */
  readonly barrelThrough: boolean;
  readonly html?: string;
}

const MIB = 2 ** 20;
/** OVMF and Xen want more than the embedded pair. */
const ROOMY = 512 * MIB;
/** Where Debian puts it. */
const XEN_PATHS = ['/boot/xen-4.17-amd64.efi', '/usr/lib/xen-4.17/boot/xen.efi'];

const firmwareOf = (options: CompareOptions): ComparedFirmware => {
  const { firmware, code, vars, memory } = options;
  if (firmware === 'reference' && code === undefined && vars === undefined) {
    const embedded = embeddedFirmware();
    return memory === undefined ? embedded : { ...embedded, memory };
  }
  const files = loadFirmware({
    firmware,
    ...(code === undefined ? {} : { code }),
    ...(vars === undefined ? {} : { vars }),
    unchecked: false,
  });
  if (files.width === 32)
    throw new CliError('--firmware', `${firmware} is 32-bit firmware: no hypervisor runs on it`);
  if (files.vars === undefined)
    throw new CliError(
      firmware,
      'code and variables in one image: name them with --code and --vars',
    );
  return {
    name: isReference(firmware) ? 'reference x64' : files.code.path,
    code: files.code.bytes,
    variables: files.vars.bytes,
    memory: memory ?? ROOMY,
  };
};

const hypervisorImage = ({ hypervisor }: CompareOptions): Omit<ComparedHypervisor, 'options'> => {
  if (hypervisor === 'embedded')
    return { name: 'embedded hypercall core', image: embeddedHypervisor() };
  if (hypervisor !== 'xen') return { name: hypervisor, image: readInput(hypervisor) };
  const path = XEN_PATHS.find((candidate) => existsSync(candidate));
  if (path === undefined)
    throw new CliError(
      '--hypervisor xen',
      `no Xen on this machine (Debian: apt install xen-hypervisor-4.17-amd64), looked for ${XEN_PATHS.join(', ')}`,
    );
  return { name: path, image: readInput(path) };
};

const hypervisorOf = (options: CompareOptions): ComparedHypervisor => {
  const found = hypervisorImage(options);
  let parsed: HypervisorOptions;
  try {
    parsed = parseHypervisorOptions(options.hypervisorOptions);
  } catch (error) {
    if (error instanceof RangeError) throw new CliError('--hypervisor-options', error.message);
    throw error;
  }
  const [missing] = switchesNotIn(found.image, parsed);
  if (missing !== undefined)
    throw new CliError('--hypervisor-options', `${found.name} has no switch '${missing}'`);
  return { ...found, options: parsed };
};

/** Plain values for `--json`: memory maps and traces are in the HTML report. */
const plainReport = (
  comparison: Comparison,
  head: ReportHead,
  barrel: BarrelThrough | undefined,
): unknown => ({
  ...head,
  scenario: comparison.scenario,
  counts: comparison.counts,
  routes: comparison.runs.map(
    ({ route, origin, callCost, bootCost, overridden, platformLines, log }) => ({
      route,
      origin,
      getVariable: callCost,
      boot: bootCost,
      overridden,
      platformLines,
      log,
    }),
  ),
  operations: comparison.rows.map(({ operation, observations, differences, verdict }) => ({
    ...operation,
    verdict,
    values: Object.fromEntries(
      comparison.runs.map(({ route }, column) => [route, observations[column]?.value]),
    ),
    explanations: Object.fromEntries(
      differences.map(({ route, explanation }) => [
        route,
        explanation === undefined ? null : { why: explanation.why, source: explanation.source },
      ]),
    ),
  })),
  barrelThrough: barrel ?? null,
  stale: comparison.stale.map(({ operation, routes, why }) => ({
    operation: String(operation),
    routes,
    why,
  })),
});

/**
 * Runs one scenario over the routes, on one firmware and one hypervisor, and shows what differs and why.
 * @returns `findings` when a difference has no explanation, or an explanation explains nothing.
 */
export const compare = (terminal: Terminal, json: boolean, options: CompareOptions): ExitCode => {
  const firmware = firmwareOf(options);
  const hypervisor = hypervisorOf(options);
  const names = ROUTE_NAMES.filter(
    (name) => name === 'direct' || options.route.length === 0 || options.route.includes(name),
  );
  const routes = names.flatMap((name) => ROUTES[name](firmware, hypervisor, options.memoryMap));
  const head: ReportHead = {
    firmware: firmware.name,
    hypervisor: [hypervisor.name, options.hypervisorOptions].join(' ').trimEnd(),
    machine: `pc, ${String(firmware.memory / MIB)} MiB, deterministic`,
  };
  let comparison: Comparison;
  let barrel: BarrelThrough | undefined;
  try {
    const runs = runRoutes(routes, REVIEW_2013, ({ name }) => {
      if (terminal.progress !== undefined) terminal.err(`systab: ${name} …\n`);
    });
    comparison = compareRuns(
      REVIEW_2013,
      runs,
      explanationsFor(options.memoryMap, hypervisor.options),
    );
    const systemTable = runs[0]?.systemTableAt;
    if (options.barrelThrough && systemTable !== undefined)
      barrel = barrelThrough(startDom0(firmware, hypervisor), systemTable);
  } catch (error) {
    if (error instanceof ImageFormatError) throw new CliError(hypervisor.name, error.message);
    if (!(error instanceof TakeOverError)) throw error;
    throw new CliError(firmware.name, error.message, exitCodes.firmwareFault);
  }
  if (options.html !== undefined)
    replaceFile(options.html, new TextEncoder().encode(reportHtml(comparison, head, barrel)));
  terminal.out(
    json
      ? `${JSON.stringify(plainReport(comparison, head, barrel))}\n`
      : reportText(terminal, comparison, head, options.all, barrel),
  );
  if (!json && options.html !== undefined)
    terminal.err(`systab: report written to ${options.html}\n`);
  const clean = comparison.counts.unexplained === 0 && comparison.stale.length === 0;
  return clean ? exitCodes.ok : exitCodes.findings;
};
