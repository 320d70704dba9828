// Unmodified Xen on unmodified OVMF, from a disk: what both send over the serial line is what they send in QEMU, up to the registers of
// dom0 at its first instruction, apart from lines that are explained.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { requireTool } from '@systab/host-tools';
import type { SkippableContext } from '@systab/host-tools';
import { arraySource, createDiskImage, PcMachine, QEMU64_PROFILE } from '@systab/x86-emu';
import { describe, expect, it } from 'vitest';
import { LOG_EXPLANATIONS } from './oracle/explanations.ts';
import { judge, logDifferences } from './oracle/log-difference.ts';
import { LAST_LINE, MEMORY, xenDisk } from './oracle/xen-session.ts';
import type { Recording } from './oracle/xen-session.ts';

const BOOT_MS = 240_000;
/** Four times what it takes. */
const BUDGET = 4e9;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const recording = (): Recording =>
  JSON.parse(
    gunzipSync(readFileSync(new URL('oracle/xen.json.gz', import.meta.url))).toString(),
  ) as Recording;

/** Boots what the recording is of; skips the test where that is not installed. */
const bootXen = (context: SkippableContext, recorded: Recording): string => {
  requireTool(context, 'ovmf');
  const code = readFileSync('/usr/share/OVMF/OVMF_CODE_4M.fd');
  const vars = readFileSync('/usr/share/OVMF/OVMF_VARS_4M.fd');
  const disk = xenDisk(readFileSync(requireTool(context, 'xen')));
  if (sha256(code) !== recorded.code || sha256(vars) !== recorded.vars)
    context.skip('recorded with another build of OVMF: node tools/xen-oracle/record.ts');
  if (sha256(disk) !== recorded.disk)
    context.skip('recorded with another Xen or dom0: node tools/xen-oracle/record.ts');
  let text = '';
  const pc = new PcMachine({
    memory: MEMORY,
    flash: [
      { image: code, readOnly: true },
      { image: vars, readOnly: false },
    ],
    profile: QEMU64_PROFILE,
    unassignedReads: 'zeros',
    disks: [createDiskImage(arraySource(disk))],
    onSerial: (byte) => {
      text += String.fromCharCode(byte);
      if (text.endsWith(LAST_LINE)) pc.machine.stop({ kind: 'trap', reason: 'last line' });
    },
  });
  const exit = pc.run({ budget: BUDGET });
  if (exit.kind !== 'trap') throw new Error(`${exit.kind}\n${text.slice(-2000)}`);
  return text;
};

describe("Xen's boot log", () => {
  it('is that of QEMU apart from explained lines', { timeout: BOOT_MS }, (context) => {
    const recorded = recording();
    const text = bootXen(context, recorded);
    const judged = judge(logDifferences(recorded.text, text), LOG_EXPLANATIONS);
    expect(judged).toEqual({ unexplained: [], stale: [] });
  });

  it('was recorded to its end', () => {
    const { text } = recording();
    expect(text).toContain('BdsDxe: starting Boot0001');
    expect(text).toContain('(XEN) *** Serial input to DOM0');
    expect(text.endsWith(LAST_LINE)).toBe(true);
  });
});

describe('the judgement', () => {
  const because = { why: 'because', source: 'nowhere' };

  it('finds lines that changed, that are missing, and that are new', () => {
    expect(logDifferences('a\r\nb\r\nc\r\nd', 'a\r\nB\r\nc')).toEqual([
      { qemu: ['b'], ours: ['B'] },
      { qemu: ['d'], ours: [] },
    ]);
    expect(logDifferences('a', 'a\r\nb')).toEqual([{ qemu: [], ours: ['b'] }]);
    expect(logDifferences('a\r\nb', 'a\r\nb')).toEqual([]);
  });

  it('takes an explanation for exactly its lines', () => {
    const differences = logDifferences('a\r\nb', 'a\r\nB');
    const good = { qemu: ['b'], ours: ['B'], ...because };
    const other = { qemu: ['b'], ours: [], ...because };
    expect(judge(differences, [good])).toEqual({ unexplained: [], stale: [] });
    expect(judge(differences, [other])).toEqual({ unexplained: differences, stale: [other] });
    expect(judge([], [good])).toEqual({ unexplained: [], stale: [good] });
  });
});
