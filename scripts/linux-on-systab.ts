// Boots Debian's Linux on our own machine and compares what it shows about EFI with what it showed in QEMU:
//
//   node scripts/linux-on-systab.ts [configuration…]
//
// Needs what tools/linux-oracle needs, and some minutes. The exit code is 1 where something differs that is not explained below.
import { readFileSync } from 'node:fs';
import { PcMachine, QEMU64_PROFILE } from '../packages/x86-emu/src/index.ts';
import {
  configurations,
  findConfiguration,
  readLinuxFacts,
} from '../tools/linux-oracle/src/index.ts';
import type { Configuration, LinuxFacts } from '../tools/linux-oracle/src/index.ts';
import { collectFacts, FACTS_SCRIPT } from '../tools/linux-oracle/src/collect.ts';
import { provideDebianKernel } from '../tools/linux-oracle/src/debian-kernel.ts';
import type { DebianKernel } from '../tools/linux-oracle/src/debian-kernel.ts';
import { formatFacts } from '../tools/linux-oracle/src/format-facts.ts';
import { buildInitramfs } from '../tools/linux-oracle/src/guest-files.ts';
import { codePath, variableFlash } from '../tools/linux-oracle/src/run-linux.ts';

/** Where the guest reports, as in QEMU. */
const REPORT_PORT = 0xe9;
/** Instructions; a boot to the end of the script takes 7 thousand million. */
const BUDGET = 30e9;

/** Lines that may differ, each for its reason. */
const EXPLAINED: readonly { readonly line: RegExp; readonly why: string }[] = [
  {
    line: /"rtc_cmos 00:0\d: /,
    why: 'our DSDT lists the clock first; the time is that of another virtual clock',
  },
  { line: /"command":"clock","answer":\{"time":/, why: 'seconds of another virtual clock' },
  { line: /PCI Bus 0000:00"/, why: 'our host bridge has no window above 4 GiB' },
];

const runLinuxHere = (
  configuration: Configuration,
  kernel: DebianKernel,
  { commandLine }: LinuxFacts['recording'],
): { readonly report: readonly string[]; readonly instructions: number } => {
  let report = '';
  const pc = new PcMachine({
    memory: 256 * 2 ** 20,
    flash: [
      { image: readFileSync(codePath(configuration)), readOnly: true },
      { image: variableFlash(configuration), readOnly: false },
    ],
    profile: QEMU64_PROFILE,
    unassignedReads: 'zeros',
    kernel: {
      kernel: readFileSync(kernel.image),
      initrd: buildInitramfs(kernel, FACTS_SCRIPT),
      cmdline: commandLine,
    },
  });
  pc.machine.hooks.trace = ({ kind, address, value }) => {
    if (kind === 'portWrite' && address === REPORT_PORT) report += String.fromCharCode(value);
  };
  const exit = pc.run({ budget: BUDGET });
  if (exit.kind !== 'shutdown') throw new Error(`Linux ended with ${exit.kind}`);
  return { report: report.trimEnd().split('\n'), instructions: pc.machine.retired };
};

/** One line a log line, region, variable or call. */
const linesOf = (facts: LinuxFacts): readonly string[] =>
  formatFacts(facts)
    .split('\n')
    .map((line) => line.trim().replace(/,$/, ''));

/** Lines of one text that the other has not. */
const missing = (lines: readonly string[], among: readonly string[], who: string): string[] => {
  const known = new Set(among);
  return lines.filter((line) => !known.has(line)).map((line) => `${who}: ${line}`);
};

const names = process.argv.slice(2);
const kernel = provideDebianKernel();
for (const configuration of names.length > 0 ? names.map(findConfiguration) : configurations) {
  const recorded = readLinuxFacts(configuration.name);
  const started = performance.now();
  const { report, instructions } = runLinuxHere(configuration, kernel, recorded.recording);
  const seconds = (performance.now() - started) / 1e3;
  const here = collectFacts(configuration, kernel, report, recorded.restarts);
  const [ours, theirs] = [here, recorded].map((facts) => linesOf(facts));
  const lines = [
    ...missing(theirs ?? [], ours ?? [], 'QEMU'),
    ...missing(ours ?? [], theirs ?? [], 'here'),
  ];
  const unexplained = lines.filter((line) => !EXPLAINED.some((one) => one.line.test(line)));
  process.stdout.write(
    `${configuration.name}: ${seconds.toFixed(0)} s, ${(instructions / 1e9).toFixed(1)} G instructions, ` +
      `${ours?.length} lines, ${lines.length - unexplained.length} explained differences, ${unexplained.length} others\n`,
  );
  for (const line of unexplained) process.stdout.write(`  ${line.slice(0, 200)}\n`);
  if (unexplained.length > 0) process.exitCode = 1;
}
