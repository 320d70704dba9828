import {
  decodeLoadOption,
  decodeLoadOrder,
  efiOk,
  EfiStatus,
  encodeLoadOption,
  encodeLoadOrder,
  formatDecodeError,
  LoadOptionAttribute,
  nameNumber,
  numberedName,
  VariableAttribute,
  WellKnownGuid,
} from '@systab/efi-core';
import type { LoadOption } from '@systab/efi-core';
import { refused } from './variables.ts';
import type { VariableFailure, VariableResult, Variables } from './variables.ts';

/** One `Boot####` variable. */
export interface BootEntry {
  readonly number: number;
  /** Undefined when the variable holds no load option. */
  readonly option: LoadOption | undefined;
  /** What keeps the variable from being one. */
  readonly fault: string | undefined;
  readonly active: boolean;
  /** Whether BootOrder has it. */
  readonly inOrder: boolean;
}

/** What the boot manager of the firmware works from (UEFI 2.10, section 3.1). */
export interface BootMenu {
  /** Entry this boot came from. */
  readonly current: number | undefined;
  /** Entry for the next boot only. */
  readonly next: number | undefined;
  /** Seconds. */
  readonly timeout: number | undefined;
  /** As stored, numbers without an entry included. */
  readonly order: readonly number[];
  /** By number. */
  readonly entries: readonly BootEntry[];
}

/** Where a new entry goes. */
export interface NewEntryOptions {
  /** Default: the lowest free number. */
  readonly number?: number;
  /** Index in BootOrder, clipped to its end; default 0. `none` leaves BootOrder alone. */
  readonly position?: number | 'none';
}

/** The boot entries of the system, with the verbs of efibootmgr. Failures of the variables below come through. */
export interface BootEntries {
  readonly list: () => VariableResult<BootMenu>;
  /** Stores a new entry and answers its number. EFI_INVALID_PARAMETER when the number asked for is taken. */
  readonly create: (option: LoadOption, options?: NewEntryOptions) => VariableResult<number>;
  /** Removes an entry, from BootOrder too. */
  readonly delete: (number: number) => VariableResult<void>;
  readonly setActive: (number: number, active: boolean) => VariableResult<void>;
  /** Every number must have an entry; an empty order deletes BootOrder. */
  readonly setOrder: (order: readonly number[]) => VariableResult<void>;
  /** Undefined withdraws the choice; withdrawing none succeeds. */
  readonly setNext: (number: number | undefined) => VariableResult<void>;
  /** Seconds, 0 to 65535; undefined deletes it. */
  readonly setTimeout: (seconds: number | undefined) => VariableResult<void>;
}

const GLOBAL = WellKnownGuid.EFI_GLOBAL_VARIABLE;
const { NON_VOLATILE, BOOTSERVICE_ACCESS, RUNTIME_ACCESS } = VariableAttribute;
const ATTRIBUTES = NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS;
const LAST_NUMBER = 0xffff;

const isNumber = (value: number): boolean =>
  Number.isInteger(value) && value >= 0 && value <= LAST_NUMBER;

const noEntry = (number: number): VariableFailure =>
  refused(EfiStatus.NOT_FOUND, `there is no Boot entry ${number.toString(16).padStart(4, '0')}`);

/** Boot entries over the variables of a system. */
export const createBootEntries = (variables: Variables): BootEntries => {
  /** Undefined when the variable does not exist. */
  const numbers = (name: string): VariableResult<readonly number[] | undefined> => {
    const found = variables.read(name, GLOBAL);
    if (!found.ok) return found.status === EfiStatus.NOT_FOUND ? efiOk(undefined) : found;
    // Firmware is known to store an odd byte too many: the whole numbers before it count.
    const { data } = found.value;
    const order = decodeLoadOrder(data.subarray(0, data.length - (data.length % 2)));
    return efiOk(order.ok ? order.value : []);
  };

  const single = (name: string): VariableResult<number | undefined> => {
    const found = numbers(name);
    return found.ok ? efiOk(found.value?.[0]) : found;
  };

  const store = (name: string, values: readonly number[]): VariableResult<void> =>
    variables.write(name, GLOBAL, ATTRIBUTES, encodeLoadOrder(values));

  const drop = (name: string): VariableResult<void> => {
    const gone = variables.delete(name, GLOBAL);
    return !gone.ok && gone.status === EfiStatus.NOT_FOUND ? efiOk(undefined) : gone;
  };

  const readEntry = (number: number, order: readonly number[]): VariableResult<BootEntry> => {
    const found = variables.read(numberedName('Boot', number), GLOBAL);
    if (!found.ok) return found;
    const option = decodeLoadOption(found.value.data);
    return efiOk({
      number,
      option: option.ok ? option.value : undefined,
      fault: option.ok ? undefined : formatDecodeError(option.error),
      active: option.ok && (option.value.attributes & LoadOptionAttribute.ACTIVE) !== 0,
      inOrder: order.includes(number),
    });
  };

  const known = (): readonly number[] =>
    variables
      .list()
      .labels.filter(({ vendorGuid }) => vendorGuid === GLOBAL)
      .map(({ name }) => nameNumber('Boot', name))
      .filter((number) => number !== undefined)
      .toSorted((left, right) => left - right);

  const list: BootEntries['list'] = () => {
    const order = numbers('BootOrder');
    if (!order.ok) return order;
    const current = single('BootCurrent');
    if (!current.ok) return current;
    const next = single('BootNext');
    if (!next.ok) return next;
    const timeout = single('Timeout');
    if (!timeout.ok) return timeout;
    const entries: BootEntry[] = [];
    for (const number of known()) {
      const entry = readEntry(number, order.value ?? []);
      if (entry.ok) entries.push(entry.value);
      // A name without a variable behind it is one of the lies firmware tells; the others are still there.
      else if (entry.status !== EfiStatus.NOT_FOUND) return entry;
    }
    return efiOk({
      current: current.value,
      next: next.value,
      timeout: timeout.value,
      order: order.value ?? [],
      entries,
    });
  };

  const exists = (number: number): VariableResult<boolean> => {
    if (!isNumber(number)) return efiOk(false);
    const found = variables.read(numberedName('Boot', number), GLOBAL);
    if (found.ok) return efiOk(true);
    return found.status === EfiStatus.NOT_FOUND ? efiOk(false) : found;
  };

  const requireEntry = (number: number): VariableFailure | undefined => {
    const there = exists(number);
    if (!there.ok) return there;
    return there.value ? undefined : noEntry(number);
  };

  const freeNumber = (): number | undefined => {
    const taken = new Set(known());
    for (let number = 0; number <= LAST_NUMBER; number += 1) {
      if (!taken.has(number)) return number;
    }
    return undefined;
  };

  return Object.freeze<BootEntries>({
    list,
    create: (option, { number: wanted, position = 0 } = {}) => {
      const number = wanted ?? freeNumber();
      if (number === undefined) {
        return refused(EfiStatus.OUT_OF_RESOURCES, 'all 65536 boot entries are taken');
      }
      if (!isNumber(number)) {
        return refused(EfiStatus.INVALID_PARAMETER, `${String(number)} does not fit Boot####`);
      }
      const there = exists(number);
      if (!there.ok) return there;
      const name = numberedName('Boot', number);
      if (there.value) return refused(EfiStatus.INVALID_PARAMETER, `${name} exists`);
      const written = variables.write(name, GLOBAL, ATTRIBUTES, encodeLoadOption(option));
      if (!written.ok) return written;
      if (position === 'none') return efiOk(number);
      const order = numbers('BootOrder');
      if (!order.ok) return order;
      const rest = (order.value ?? []).filter((other) => other !== number);
      const ordered = store('BootOrder', rest.toSpliced(position, 0, number));
      return ordered.ok ? efiOk(number) : ordered;
    },
    delete: (number) => {
      const missing = requireEntry(number);
      if (missing !== undefined) return missing;
      const gone = variables.delete(numberedName('Boot', number), GLOBAL);
      if (!gone.ok) return gone;
      const order = numbers('BootOrder');
      if (!order.ok) return order;
      if (!(order.value ?? []).includes(number)) return efiOk(undefined);
      const rest = (order.value ?? []).filter((other) => other !== number);
      return rest.length === 0 ? drop('BootOrder') : store('BootOrder', rest);
    },
    setActive: (number, active) => {
      if (!isNumber(number)) return noEntry(number);
      const name = numberedName('Boot', number);
      const found = variables.read(name, GLOBAL);
      if (!found.ok) return found.status === EfiStatus.NOT_FOUND ? noEntry(number) : found;
      const option = decodeLoadOption(found.value.data);
      if (!option.ok) {
        return refused(EfiStatus.INVALID_PARAMETER, formatDecodeError(option.error));
      }
      const rest = option.value.attributes & ~LoadOptionAttribute.ACTIVE;
      const attributes = (active ? rest | LoadOptionAttribute.ACTIVE : rest) >>> 0;
      if (attributes === option.value.attributes) return efiOk(undefined);
      const data = encodeLoadOption({ ...option.value, attributes });
      return variables.write(name, GLOBAL, found.value.attributes, data);
    },
    setOrder: (order) => {
      if (order.length === 0) return drop('BootOrder');
      if (new Set(order).size !== order.length) {
        return refused(EfiStatus.INVALID_PARAMETER, 'a number stands in the order twice');
      }
      for (const number of order) {
        const missing = requireEntry(number);
        if (missing !== undefined) return missing;
      }
      return store('BootOrder', order);
    },
    setNext: (number) => {
      if (number === undefined) return drop('BootNext');
      return requireEntry(number) ?? store('BootNext', [number]);
    },
    setTimeout: (seconds) => {
      if (seconds === undefined) return drop('Timeout');
      return isNumber(seconds)
        ? store('Timeout', [seconds])
        : refused(EfiStatus.INVALID_PARAMETER, `${String(seconds)} does not fit Timeout`);
    },
  });
};
