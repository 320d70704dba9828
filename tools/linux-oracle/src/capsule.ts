// A capsule on its way through Linux: given to the kernel's loader, carried through the reset that it asks for, and what Linux
// shows before and after.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Configuration } from './configurations.ts';
import type { DebianKernel } from './debian-kernel.ts';
import type { Answer } from './facts.ts';
import { codePath, qemuVersion, runLinux } from './run-linux.ts';

/** What Linux shows at one start. */
export interface CapsuleSight {
  /** Files of the only entry in /sys/firmware/efi/esrt. */
  readonly esrt: Readonly<Record<string, string>>;
  /** The file `CapsuleLast` of efivarfs. */
  readonly last: Answer;
}

/** A capsule and what became of it. */
export interface CapsuleFacts {
  readonly recording: { readonly qemu: string; readonly kernel: string; readonly code: string };
  /** Hexadecimal. */
  readonly capsule: string;
  readonly before: CapsuleSight;
  /** What the loader answered. */
  readonly loaded: Answer;
  readonly after: CapsuleSight;
}

const ENTRY = '/sys/firmware/efi/esrt/entries/entry0';
const LAST = 'CapsuleLast-39b68c46-f7fb-441b-b6ec-16b0f69821f3';
/** Of the reference firmware: guest/firmware/include/efi-capsule.h. */
const CLASS = '345a1d6f7e0c524b9e21535953544142';
const PERSIST_ACROSS_RESET = 0x1_0000;
const CAPSULE_HEADER = 28;
const UPDATE_HEADER = 24;
const VERSION = 0x1_0003;
/** Not a whole number of pages. */
const PAYLOAD = 9001;

/** An update of the reference firmware (UEFI 2.10, 8.5.3, and the body that this firmware takes). */
const updateCapsule = (): Uint8Array => {
  const payload = Uint8Array.from({ length: PAYLOAD }, (_, index) => (index * 37) % 253);
  const bytes = new Uint8Array(CAPSULE_HEADER + UPDATE_HEADER + PAYLOAD);
  const view = new DataView(bytes.buffer);
  const words = (at: number, values: readonly number[]): void => {
    values.forEach((value, index) => {
      view.setUint32(at + index * 4, value, true);
    });
  };
  bytes.set(Buffer.from(CLASS, 'hex'));
  words(16, [CAPSULE_HEADER, PERSIST_ACROSS_RESET, bytes.length]);
  bytes.set(new TextEncoder().encode('SfwU'), CAPSULE_HEADER);
  words(CAPSULE_HEADER + 4, [UPDATE_HEADER, VERSION, VERSION, PAYLOAD, crc32(payload)]);
  bytes.set(payload, CAPSULE_HEADER + UPDATE_HEADER);
  return bytes;
};

/** The script begins so at each start; the one after the reset is cut off behind it. */
const SIGHTS = [`tree ${ENTRY}`, 'remount', `read ${LAST}`];

const sightOf = (lines: readonly string[]): CapsuleSight => {
  const [tree, , last] = lines.map((line) => JSON.parse(line) as unknown);
  const { files } = tree as { readonly files: readonly { path: string; text: string }[] };
  return {
    esrt: Object.fromEntries(files.map(({ path, text }) => [path.slice(ENTRY.length + 1), text])),
    last: last as Answer,
  };
};

class AllSeen extends Error {}

/** Takes a capsule through Linux. Throws where Linux does not come back. */
export const recordCapsule = async (
  configuration: Configuration,
  kernel: DebianKernel,
): Promise<CapsuleFacts> => {
  const capsule = Buffer.from(updateCapsule()).toString('hex');
  const script = [...SIGHTS, `capsule ${capsule}`, 'restart'];
  const seen: string[] = [];
  try {
    await runLinux({
      configuration,
      kernel,
      script,
      deterministic: true,
      reboots: true,
      onLine: (line) => {
        seen.push(line);
        if (seen.length === script.length + SIGHTS.length) throw new AllSeen();
      },
    });
    throw new Error('Linux did not come back from the reset');
  } catch (error) {
    if (!(error instanceof AllSeen)) throw error;
  }
  const code = createHash('sha256').update(readFileSync(codePath(configuration)));
  return {
    recording: {
      qemu: qemuVersion(),
      kernel: `${kernel.packageName} ${kernel.packageVersion}`,
      code: code.digest('hex'),
    },
    capsule,
    before: sightOf(seen.slice(0, SIGHTS.length)),
    loaded: JSON.parse(seen[SIGHTS.length] ?? '') as Answer,
    after: sightOf(seen.slice(script.length)),
  };
};

/** Where the capsule's facts stand. */
export const capsuleFactsPath = (): string =>
  join(import.meta.dirname, '../facts/reference-x64-capsule.json');

/** The recorded facts of the capsule. */
export const readCapsuleFacts = (): CapsuleFacts =>
  JSON.parse(readFileSync(capsuleFactsPath(), 'utf8')) as CapsuleFacts;
