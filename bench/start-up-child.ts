// Child process of start-up.ts: one start of our machine.
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};
const now = (): number => performance.now();

const started = now();
const { createMachine } = await import('../packages/x86-emu/src/machine.ts');
const imported = now();
const cpuBefore = cpuMs();
const machine = createMachine();
const created = now();
machine.run({ budget: 1 });
const executed = now();
const totalCpuMs = cpuMs() - cpuBefore;
if (machine.retired !== 1) throw new Error('no instruction was executed');
process.stdout.write(
  `${JSON.stringify({
    moduleMs: imported - started,
    machineMs: created - imported,
    firstInstructionMs: executed - created,
    totalMs: executed - imported,
    totalCpuMs,
  })}\nDONE\n`,
);
