// One boot of OVMF on the machine that the oracle recorded, shared by the tests of a file.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  arraySource,
  createDiskImage,
  PcMachine,
  QEMU64_PROFILE,
  snapshotToBytes,
} from '@systab/x86-emu';
import type { PcMachineOptions, VmExit } from '@systab/x86-emu';
import { requireTool } from '@systab/host-tools';
import type { SkippableContext } from '@systab/host-tools';
import { endsWithPrompt, sessionDisk, SHELL_COMMANDS } from './shell-session.ts';
import type { Recording } from './shell-session.ts';

const FOLDER = '/usr/share/OVMF';

export interface Firmware {
  readonly code: Uint8Array;
  readonly vars: Uint8Array;
}

/** The installed firmware; skips the test without one. */
export const firmware = (context: SkippableContext): Firmware => {
  requireTool(context, 'ovmf');
  return {
    code: readFileSync(`${FOLDER}/OVMF_CODE_4M.fd`),
    vars: readFileSync(`${FOLDER}/OVMF_VARS_4M.fd`),
  };
};

/** The machine of tools/ovmf-oracle: what QEMU is told there. */
export const oracleOptions = ({ code, vars }: Firmware): PcMachineOptions => ({
  memory: 256 * 2 ** 20,
  flash: [
    { image: code, readOnly: true },
    { image: vars, readOnly: false },
  ],
  profile: QEMU64_PROFILE,
  unassignedReads: 'zeros',
  disks: [createDiskImage(arraySource(sessionDisk()))],
});

export const recording = (): Recording =>
  JSON.parse(
    gunzipSync(readFileSync(new URL('oracle/ovmf.json.gz', import.meta.url))).toString(),
  ) as Recording;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A session at the shell, as ours ran it. */
export interface Session {
  /** As in a recording. */
  readonly parts: readonly string[];
  readonly end: VmExit;
  readonly instructions: number;
  /** The whole machine at the first prompt, and its trace hash. */
  readonly snapshot: Uint8Array;
  readonly traceHash: string;
}

/** Instructions for the way to each prompt: four times what the longest takes. */
const BUDGET = 4e9;

const runSession = (files: Firmware): Session => {
  let part = '';
  const pc: PcMachine = new PcMachine({
    ...oracleOptions(files),
    onSerial: (byte) => {
      part += String.fromCharCode(byte);
      if (endsWithPrompt(part)) pc.machine.stop({ kind: 'trap', reason: 'prompt' });
    },
  });
  const parts: string[] = [];
  let snapshot: Uint8Array = new Uint8Array();
  let traceHash = '';
  for (;;) {
    const end = pc.run({ budget: BUDGET });
    parts.push(part);
    part = '';
    if (end.kind !== 'trap')
      return { parts, end, instructions: pc.machine.retired, snapshot, traceHash };
    if (parts.length === 1) {
      snapshot = snapshotToBytes(pc.machine.snapshot());
      traceHash = pc.machine.traceHash;
    }
    pc.sendSerial(new TextEncoder().encode(`${SHELL_COMMANDS[parts.length - 1] ?? ''}\r`));
  }
};

let session: Session | undefined;

/** The session; the first call runs it, which takes as long as a boot. Skips the test if the recording is of another firmware. */
export const bootedOvmf = (context: SkippableContext): Session => {
  const files = firmware(context);
  const { code, vars } = recording();
  if (sha256(files.code) !== code || sha256(files.vars) !== vars)
    context.skip('recorded with another build of OVMF: node tools/ovmf-oracle/record.ts');
  session ??= runSession(files);
  return session;
};
