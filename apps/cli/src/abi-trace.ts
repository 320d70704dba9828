/** One call across the firmware boundary, register by register. */
import { formatEfiStatus, SERVICE_PARAMETERS } from '@systab/efi-core';
import type { CallRecord } from '@systab/platform-baremetal';
import { CALLING_CONVENTIONS } from '@systab/x86-emu';

const hex = (value: bigint, digits = 1): string => `0x${value.toString(16).padStart(digits, '0')}`;

const word = (frame: Uint8Array, at: number, bytes: number): bigint | undefined => {
  if (at + bytes > frame.length) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  return bytes === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
};

const outcomeLine = ({ outcome, instructions }: CallRecord): string => {
  const cost = `${String(instructions)} instructions`;
  switch (outcome.kind) {
    case 'returned':
      return `returned ${formatEfiStatus(outcome.status)} after ${cost}`;
    case 'left':
      return `did not return: ${outcome.how}, after ${cost}`;
    case 'fault':
    case 'hung':
    case 'unavailable':
      return `${outcome.kind}: ${outcome.why}, after ${cost}`;
  }
};

interface Place {
  readonly where: string;
  readonly what: string;
  readonly value: bigint | undefined;
}

/** Where each parameter travels, then what else the stack frame holds. */
const places = ({ service, convention, args, frame }: CallRecord): readonly Place[] => {
  const rules = CALLING_CONVENTIONS[convention === 'ms-x64' ? 'ms-x64' : 'cdecl-ia32'];
  const { slot, argumentRegisters, shadowSpace } = rules;
  const stack = slot === 8 ? 'rsp' : 'esp';
  let offset = slot + shadowSpace;
  const parameters = SERVICE_PARAMETERS[service].map(({ name, type }, index): Place => {
    const register = argumentRegisters[index];
    const value = args[index];
    if (register !== undefined) return { where: register, what: name, value };
    const where = `[${stack}+0x${offset.toString(16)}]`;
    offset += slot === 4 && type === 'UINT64' ? 8 : slot;
    return { where, what: name, value };
  });
  const shadow = argumentRegisters.slice(0, shadowSpace / slot).map((register, index): Place => {
    const at = slot * (index + 1);
    return {
      where: `[${stack}+0x${at.toString(16)}]`,
      what: `shadow space of ${register}`,
      value: word(frame, at, slot),
    };
  });
  return [
    ...parameters,
    { where: `[${stack}]`, what: 'return address', value: word(frame, 0, slot) },
    ...shadow,
  ];
};

/** What became of the calling convention; nothing to say of a service that did not come back. */
const contractLines = ({ outcome, breaches }: CallRecord): readonly string[] => {
  if (outcome.kind !== 'returned') return [];
  return breaches.length === 0
    ? ['  calling convention kept']
    : breaches.map(
        ({ what, expected, actual }) => `  BROKEN: ${what} was ${expected}, came back ${actual}`,
      );
};

/** The lines of a trace; stack contents are those the service left. */
export const abiTrace = (call: CallRecord): readonly string[] => {
  const { service, mode, convention, entry, cr3, stack, value } = call;
  const all = places(call);
  const width = Math.max(...all.map(({ where }) => where.length));
  const names = Math.max(...all.map(({ what }) => what.length));
  return [
    `${service}  ${mode} mode, ${convention}`,
    `  entry ${hex(entry)}, stack pointer ${hex(stack)}, page table ${cr3 === 0n ? 'none' : hex(cr3)}`,
    ...all.map(
      ({ where, what, value: held }) =>
        `  ${where.padEnd(width)}  ${what.padEnd(names)}  ${held === undefined ? '?' : hex(held)}`,
    ),
    `  ${outcomeLine(call)}, ${convention === 'ms-x64' ? 'rax' : 'eax'} ${hex(value)}`,
    ...contractLines(call),
  ];
};
