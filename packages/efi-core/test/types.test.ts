import { describe, expect, it } from 'vitest';
import { bindPlatform, EfiStatus, physAddr, virtAddr } from '../src/index.ts';
import type { EfiInitOps, EfiRuntimeOps, PhysAddr, PlatformBackend } from '../src/index.ts';

// Each error below is one the compiler must report; `tsc` fails when one of them goes away.

const erases: PlatformBackend = {
  name: 'erases',
  detect: () => 1,
  // @ts-expect-error an undefined member would erase a default
  runtime: () => ({ getTime: undefined }),
};

const narrows: Partial<EfiRuntimeOps> = {
  // @ts-expect-error a handler must take everything the contract passes, the NULL pointer too
  setTime: (time: { readonly year: number }) => ({ ok: time.year > 0, value: undefined }),
};

const invents: Partial<EfiInitOps> = {
  // @ts-expect-error no table has such a member
  frobnicate: () => 1,
};

// @ts-expect-error a plain number is no physical address
const plain: PhysAddr = 4096;

// @ts-expect-error a plain bigint is no status
const raw: typeof EfiStatus.NOT_FOUND = 14n;

const mixes = (): unknown => {
  const phys = physAddr(0x1000n) ?? plain;
  const virt = virtAddr(0x1000n) ?? 0n;
  // @ts-expect-error physical and virtual addresses do not add up
  return phys + virt;
};

const reassigns = (): void => {
  const { runtime } = bindPlatform({ name: 'x', detect: () => 1 });
  // @ts-expect-error bound tables are read-only
  runtime.getTime = runtime.getWakeupTime;
};

describe('what the compiler refuses', () => {
  it('would go wrong at run time too', () => {
    expect(() => bindPlatform(erases)).toThrow(/with no function/);
    expect(() => bindPlatform({ ...erases, init: () => invents, runtime: () => ({}) })).toThrow(
      /does not exist/,
    );
    expect(() => narrows.setTime?.(null)).toThrow(TypeError);
    expect(mixes).toThrow(TypeError);
    expect(reassigns).toThrow(TypeError);
    expect(raw).not.toBe(EfiStatus.NOT_FOUND);
  });
});
