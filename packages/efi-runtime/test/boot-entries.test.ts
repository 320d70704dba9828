import {
  decodeLoadOrder,
  efiFail,
  EfiStatus,
  LoadOptionAttribute,
  parseDevicePath,
  variableLabel,
  WellKnownGuid,
} from '@systab/efi-core';
import type { LoadOption } from '@systab/efi-core';
import { describe, expect, it } from 'vitest';
import { createBootEntries, createVariables } from '../src/index.ts';
import type { BootMenu } from '../src/index.ts';
import { createDouble } from './firmware-double.ts';

const GLOBAL = WellKnownGuid.EFI_GLOBAL_VARIABLE;

const option = (description: string): LoadOption => {
  const path = parseDevicePath('PciRoot(0)/Pci(31,2)/Sata(0,0xffff,0)/\\EFI\\BOOT\\BOOTX64.EFI');
  if (!path.ok) throw new Error('bad test path');
  return {
    attributes: LoadOptionAttribute.ACTIVE,
    description,
    filePaths: [path.value],
    optionalData: Uint8Array.of(1),
  };
};

const setUp = () => {
  const double = createDouble({ capacity: 0x10_0000 });
  const variables = createVariables(double.services);
  const entries = createBootEntries(variables);
  const put = (name: string, ...data: number[]): void => {
    double.services.setVariable(name, GLOBAL, 7, data.length, Uint8Array.from(data));
  };
  const menu = (): BootMenu => {
    const listed = entries.list();
    if (!listed.ok) throw new Error(listed.errno);
    return listed.value;
  };
  return { double, variables, entries, put, menu };
};

describe('boot entries', () => {
  it('are none in an empty store', () => {
    const { menu } = setUp();
    expect(menu()).toEqual({
      current: undefined,
      next: undefined,
      timeout: undefined,
      order: [],
      entries: [],
    });
  });

  it('take the lowest free number and the first place', () => {
    const { entries, menu, put } = setUp();
    expect(entries.create(option('one'))).toMatchObject({ ok: true, value: 0 });
    expect(entries.create(option('two'), { number: 2 })).toMatchObject({ value: 2 });
    expect(entries.create(option('three'))).toMatchObject({ value: 1 });
    expect(entries.create(option('four'), { position: 99 })).toMatchObject({ value: 3 });
    expect(entries.create(option('five'), { position: 'none' })).toMatchObject({ value: 4 });
    put('BootCurrent', 2, 0);
    put('Timeout', 5, 0);
    const { order, entries: all, current, timeout } = menu();
    expect({ order, current, timeout }).toEqual({ order: [1, 2, 0, 3], current: 2, timeout: 5 });
    expect(all.map((entry) => [entry.number, entry.option?.description, entry.inOrder])).toEqual([
      [0, 'one', true],
      [1, 'three', true],
      [2, 'two', true],
      [3, 'four', true],
      [4, 'five', false],
    ]);
  });

  it('are not created over an existing one or outside 16 bits', () => {
    const { entries } = setUp();
    entries.create(option('one'), { number: 0xffff });
    for (const number of [0xffff, 0x1_0000, -1, 0.5]) {
      expect(entries.create(option('x'), { number })).toMatchObject({ errno: 'EINVAL' });
    }
  });

  it('leave BootOrder when they are deleted, the last one with it', () => {
    const { entries, double, menu } = setUp();
    entries.create(option('one'));
    entries.create(option('two'));
    expect(entries.delete(0).ok).toBe(true);
    expect(menu().order).toEqual([1]);
    expect(entries.delete(0)).toMatchObject({ ok: false, errno: 'ENOENT' });
    expect(entries.delete(1).ok).toBe(true);
    expect(double.variables.size).toBe(0);
  });

  it('are switched on and off without losing anything else', () => {
    const { entries, menu, double } = setUp();
    entries.create(option('one'));
    const before = double.variables.get(variableLabel('Boot0000', GLOBAL))?.data;
    expect(entries.setActive(0, false).ok).toBe(true);
    expect(menu().entries[0]).toMatchObject({ active: false, option: { description: 'one' } });
    const writes = double.calls.filter((name) => name === 'SetVariable').length;
    expect(entries.setActive(0, false).ok).toBe(true);
    expect(double.calls.filter((name) => name === 'SetVariable')).toHaveLength(writes);
    expect(entries.setActive(0, true).ok).toBe(true);
    expect(double.variables.get(variableLabel('Boot0000', GLOBAL))?.data).toEqual(before);
    expect(entries.setActive(1, true)).toMatchObject({ errno: 'ENOENT' });
    expect(entries.setActive(-1, true)).toMatchObject({ errno: 'ENOENT' });
  });

  it('are ordered only among those that exist', () => {
    const { entries, menu, double } = setUp();
    for (const name of ['one', 'two', 'three']) entries.create(option(name));
    expect(entries.setOrder([0, 1, 2]).ok).toBe(true);
    expect(menu().order).toEqual([0, 1, 2]);
    expect(entries.setOrder([0, 3])).toMatchObject({ errno: 'ENOENT' });
    expect(entries.setOrder([0, 0])).toMatchObject({ errno: 'EINVAL' });
    expect(menu().order).toEqual([0, 1, 2]);
    expect(entries.setOrder([]).ok).toBe(true);
    expect(double.variables.has(variableLabel('BootOrder', GLOBAL))).toBe(false);
    expect(entries.setOrder([]).ok).toBe(true);
  });

  it('are chosen for the next boot, and the choice withdrawn', () => {
    const { entries, menu } = setUp();
    entries.create(option('one'));
    expect(entries.setNext(0).ok).toBe(true);
    expect(menu().next).toBe(0);
    expect(entries.setNext(7)).toMatchObject({ errno: 'ENOENT' });
    expect(entries.setNext(undefined).ok).toBe(true);
    expect(entries.setNext(undefined).ok).toBe(true);
    expect(menu().next).toBeUndefined();
    expect(entries.setTimeout(0x1_0000)).toMatchObject({ errno: 'EINVAL' });
    expect(entries.setTimeout(10).ok).toBe(true);
    expect(menu().timeout).toBe(10);
    expect(entries.setTimeout(undefined).ok).toBe(true);
    expect(menu().timeout).toBeUndefined();
  });

  it('survive what firmware leaves behind', () => {
    const { entries, menu, put, double } = setUp();
    put('Boot0007', 1, 2, 3);
    put('BootOrder', 9, 0, 7, 0, 1);
    put('BootNext');
    put('Boot00zz', 1);
    put('boot0001', 1);
    const { order, entries: all } = menu();
    expect(order).toEqual([9, 7]);
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({ number: 7, option: undefined, active: false, inOrder: true });
    expect(all[0]?.fault).toMatch(/EFI_LOAD_OPTION/);
    expect(entries.setActive(7, true)).toMatchObject({ errno: 'EINVAL' });
    expect(entries.create(option('one'))).toMatchObject({ value: 0 });
    const stored = double.variables.get(variableLabel('BootOrder', GLOBAL))?.data;
    expect(decodeLoadOrder(stored ?? new Uint8Array())).toMatchObject({ value: [0, 9, 7] });
  });

  it('report a store that does not answer', () => {
    const { double } = setUp();
    const dead = createBootEntries(
      createVariables({
        ...double.services,
        getVariable: () => efiFail(EfiStatus.DEVICE_ERROR),
      }),
    );
    for (const result of [dead.list(), dead.create(option('x')), dead.delete(0), dead.setNext(0)]) {
      expect(result).toMatchObject({ ok: false, errno: 'EIO' });
    }
  });
});
