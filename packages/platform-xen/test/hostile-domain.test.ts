// A domain that lies: whatever it passes to hypercalls, the hypervisor answers, goes on, and writes to no memory but the domain's.
import { describe, expect, it, vi } from 'vitest';
import { HYPERCALL } from '../src/abi/hypercall.ts';
import type { HypercallName } from '../src/abi/hypercall.ts';
import { XENPF, XENPF_INTERFACE_VERSION } from '../src/abi/platform-op.ts';
import { DOM0_LAYOUT } from '../src/index.ts';
import type { Dom0 } from '../src/index.ts';
import { freshDom0 } from './dom0-run.ts';

vi.setConfig({ testTimeout: 120_000 });

const ROUNDS = 3000;

/** Numbers that repeat with every run (Marsaglia's xorshift). */
const createRandom = (seed: number): ((below: number) => number) => {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
};

/** Addresses and sizes at which something begins or ends. */
const CORNERS = [
  0n,
  1n,
  0xfffn,
  0x1000n,
  0x7fff_ffff_f000n,
  0x7fff_ffff_ffffn,
  0x8000_0000_0000n,
  0xffff_8000_0000_0000n,
  0xffff_82ff_ffff_ffffn,
  0xffff_8300_0000_0000n,
  0xffff_8300_0010_0000n,
  0xffff_87ff_ffff_ffffn,
  0xffff_8800_0000_0000n,
  0xffff_ffff_ffff_fff8n,
  0xffff_ffff_ffff_ffffn,
] as const;

const randomWord = (random: (below: number) => number, dom0: Dom0): bigint => {
  switch (random(5)) {
    case 0:
      return CORNERS[random(CORNERS.length)] ?? 0n;
    case 1:
      return DOM0_LAYOUT.heap + BigInt(random(0x6000));
    case 2:
      return dom0.startInfo.pt_base + BigInt(random(0x8000));
    case 3:
      return BigInt(random(200));
    default:
      return (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
  }
};

/** A platform_op with a plausible head and mostly plausible parts, so that many of them get as far as the firmware. */
const randomPlatformOp = (random: (below: number) => number, dom0: Dom0): Uint8Array => {
  const bytes = new Uint8Array(136);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < 136; at += 8) {
    const kind = random(10);
    const plausible =
      kind < 5 ? DOM0_LAYOUT.heap + BigInt(random(0x1000)) : BigInt(random(kind < 8 ? 64 : 8));
    view.setBigUint64(at, random(5) === 0 ? randomWord(random, dom0) : plausible, true);
  }
  const commands = [XENPF.efi_runtime_call, XENPF.firmware_info, XENPF.settime64];
  view.setUint32(0, commands[random(commands.length)] ?? 0, true);
  view.setUint32(4, random(20) === 0 ? 0 : XENPF_INTERFACE_VERSION, true);
  view.setUint32(8, random(13), true);
  view.setUint32(12, random(3), true);
  return bytes;
};

/** RAM that nobody was given: from 1 MiB to where the reference firmware's stack is. */
const FREE_RAM = { at: 0x10_0000, length: 0x70_0000 };

/** Random arguments for a hypercall, some of them for a platform_op that is there. */
const randomArguments = (
  random: (below: number) => number,
  dom0: Dom0,
  name: HypercallName,
): readonly bigint[] => {
  const [first = 0n, second = 0n, third = 0n] = [0, 1, 2].map(() => randomWord(random, dom0));
  // Mappings of its own code and stack would end the domain, which is its own business.
  if (name === 'update_va_mapping')
    return [DOM0_LAYOUT.window + BigInt(random(16) * 4096), second, third];
  // Text by the megabyte is only slow.
  if (name === 'console_io') return [first, second & 0xfffn, third];
  if (name !== 'platform_op' || random(4) === 0) return [first, second, third];
  const at = DOM0_LAYOUT.heap + BigInt(random(64) * 8);
  dom0.store(at, randomPlatformOp(random, dom0));
  return [at];
};

describe('a domain that passes anything', () => {
  it.for([1, 2, 3])('leaves the hypervisor sound, seed %i', (seed, context) => {
    const random = createRandom(seed * 0x9e37_79b9);
    const { dom0, pc, text, hypercalls } = freshDom0(context, 'embedded');
    const names = (Object.keys(HYPERCALL) as HypercallName[]).filter((name) => name !== 'sched_op');
    const before = pc.machine.memory.read(FREE_RAM.at, FREE_RAM.length);
    const answers = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      // Every second one is a platform_op.
      const name = random(2) === 0 ? 'platform_op' : (names[random(names.length)] ?? 'memory_op');
      const args = randomArguments(random, dom0, name);
      const outcome = dom0.hypercall(name, args);
      answers.add(outcome.kind === 'failed' ? outcome.errno : outcome.kind);
      if (outcome.kind === 'hung' || outcome.kind === 'left')
        throw new Error(`${name}(${args.map((arg) => arg.toString(16)).join()})\n${text()}`);
    }
    expect(text()).not.toContain('(XEN)');
    expect([...answers]).toEqual(expect.arrayContaining(['EFAULT', 'EINVAL', 'ESRCH', 'returned']));
    expect(hypercalls.filter(({ instructions }) => instructions > 1000).length).toBeGreaterThan(20);
    expect(Buffer.compare(pc.machine.memory.read(FREE_RAM.at, FREE_RAM.length), before)).toBe(0);
    expect(dom0.hypercall('xen_version', [0n, 0n])).toEqual({ kind: 'returned', value: 0x40011n });
  });
});
