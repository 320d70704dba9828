/** What can be said of a boot that ended in a verdict: where the processor is, and what it did last. */
import { basename } from 'node:path';
import type { PcMachineOptions } from '@systab/x86-emu';
import type { BootEnd } from '../boot-run.ts';
import type { FirmwareRun } from '../firmware-run.ts';
import { peIdentity } from './guest-image.ts';
import type { ImageNames } from './module-names.ts';
import { describeTail, PlaceFinder } from './place.ts';
import type { Place, VerdictLine } from './place.ts';
import { replayTail } from './replay.ts';

/** Of an end that is no verdict there is the address alone. */
export interface Verdict {
  readonly place: Place;
  /** The bytes there, in hex. */
  readonly code: string;
  /** The last instructions; nothing for a run that could not be repeated. */
  readonly last: readonly VerdictLine[] | undefined;
}

/** A run is not repeated that took longer than some minutes. */
const LONGEST_REPLAY = 20e9;

const isVerdict = ({ kind }: BootEnd): boolean =>
  !['prompt', 'until', 'session', 'kernel', 'shutdown'].includes(kind);

/** The kernel that the firmware gets through fw_cfg, by the name of its file. */
export const knownKernel = (
  path: string | undefined,
  { kernel }: Pick<PcMachineOptions, 'kernel'>,
): ImageNames => {
  const identity = kernel && peIdentity(kernel.kernel);
  return new Map(path === undefined || identity === undefined ? [] : [[identity, basename(path)]]);
};

/** Where a machine that has stopped stands. */
export const placeOfEnd = (
  { pc, run }: Pick<FirmwareRun, 'pc' | 'run'>,
  places: PlaceFinder = new PlaceFinder(pc.machine),
): Pick<Verdict, 'place' | 'code'> => {
  const code = pc.machine.codeBytes().subarray(0, 8);
  return {
    place: places.find(run.address),
    code: code.length === 0 ? 'none is mapped' : Buffer.from(code).toString('hex'),
  };
};

export const verdictOf = async (
  firmwareRun: FirmwareRun,
  known: ImageNames,
  note: (text: string) => void,
): Promise<Verdict> => {
  const { pc, run, end, twin } = firmwareRun;
  if (!isVerdict(end)) return { place: { address: run.address }, code: '', last: undefined };
  const places = new PlaceFinder(pc.machine, known);
  const stand = placeOfEnd(firmwareRun, places);
  let steps = run.tail;
  if (!steps && run.executed <= LONGEST_REPLAY) {
    note('the run is repeated to see its last instructions');
    steps = replayTail(twin(), run.past);
    if (!steps) note('the repeated run took another way: no last instructions');
  }
  return { ...stand, last: steps && (await describeTail(steps, places)) };
};
