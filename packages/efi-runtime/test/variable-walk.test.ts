import {
  char16Buffer,
  efiFail,
  efiOk,
  EfiStatus,
  encodeChar16,
  variableLabel,
} from '@systab/efi-core';
import type { EfiRuntimeOps, NextVariableName } from '@systab/efi-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createVariables, walkVariables } from '../src/index.ts';
import { createDouble, NV_BS_RT, VENDOR } from './firmware-double.ts';

const filled = (names: readonly string[]) => {
  const double = createDouble();
  for (const name of names) {
    double.variables.set(variableLabel(name, VENDOR), {
      name,
      vendorGuid: VENDOR,
      attributes: NV_BS_RT,
      data: Uint8Array.of(1),
    });
  }
  return double;
};

const namesOf = (services: Pick<EfiRuntimeOps, 'getNextVariableName'>): readonly string[] =>
  walkVariables(services).labels.map(({ name }) => name);

describe('a walk over the variables', () => {
  it('finds each one once, whatever the names', () => {
    const unit = fc.integer({ min: 1, max: 0xffff }).map((code) => String.fromCharCode(code));
    const name = fc.array(unit, { minLength: 1, maxLength: 400 }).map((units) => units.join(''));
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 8 }), (names) => {
        const { services } = filled(names);
        const walk = walkVariables(services);
        expect(walk.labels.map((label) => label.name)).toEqual(names);
        expect(walk.end).toEqual({ kind: 'complete' });
        expect(walk.wrongSizes).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('ends and never throws, whatever the firmware answers', () => {
    const answer: fc.Arbitrary<ReturnType<EfiRuntimeOps['getNextVariableName']>> = fc.oneof(
      fc
        .record({
          variableNameSize: fc.integer({ min: -4, max: 600 }),
          variableName: fc.uint8Array({ maxLength: 600 }),
        })
        .map((value) => efiOk<NextVariableName>({ ...value, vendorGuid: VENDOR })),
      fc
        .constantFrom('NOT_FOUND', 'BUFFER_TOO_SMALL', 'DEVICE_ERROR', 'ABORTED')
        .map((name) => efiFail(EfiStatus[name as 'NOT_FOUND'])),
      fc.nat(0x2_0000).map((needed) => efiFail(EfiStatus.BUFFER_TOO_SMALL, { needed })),
    );
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 30 }), (answers) => {
        let at = 0;
        const getNextVariableName: EfiRuntimeOps['getNextVariableName'] = (size, buffer) => {
          expect(buffer).toHaveLength(size ?? -1);
          at += 1;
          return answers[at % answers.length] ?? efiFail(EfiStatus.NOT_FOUND);
        };
        const { labels } = walkVariables({ getNextVariableName }, { names: 50 });
        const texts = labels.map((label) => variableLabel(label.name, label.vendorGuid));
        expect(new Set(texts).size).toBe(texts.length);
        expect(labels.length).toBeLessThanOrEqual(50);
      }),
    );
  });

  it('ends at the first name that comes again', () => {
    const { services } = filled(['A', 'B', 'C']);
    const lines: string[] = [];
    const looping: EfiRuntimeOps = {
      ...services,
      getNextVariableName: (size, buffer, vendorGuid) => {
        const next = services.getNextVariableName(size, buffer, vendorGuid);
        const first = char16Buffer('', size ?? 0) ?? new Uint8Array(2);
        return next.ok ? next : services.getNextVariableName(size, first, vendorGuid);
      },
    };
    const walk = createVariables(looping, { warn: (line) => lines.push(line) }).list();
    expect(walk.labels.map(({ name }) => name)).toEqual(['A', 'B', 'C']);
    expect(walk.end).toEqual({ kind: 'repeated', label: { name: 'A', vendorGuid: VENDOR } });
    expect(lines).toEqual([`efivars: duplicate variable: A-${VENDOR}`]);
  });

  it('survives a size that leaves the terminator out, and one that is too large', () => {
    for (const off of [-2, 40]) {
      const { services } = filled(['UserPww', 'UserPw', 'Next']);
      const wrong: EfiRuntimeOps = {
        ...services,
        getNextVariableName: (size, buffer, vendorGuid) => {
          const next = services.getNextVariableName(size, buffer, vendorGuid);
          if (!next.ok) return next;
          const variableNameSize = next.value.variableNameSize + off;
          return efiOk({ ...next.value, variableNameSize });
        },
      };
      const walk = walkVariables(wrong);
      expect(walk.labels.map(({ name }) => name)).toEqual(['UserPww', 'UserPw', 'Next']);
      expect(walk.wrongSizes).toHaveLength(3);
      expect(walk.wrongSizes[0]).toMatchObject({ reported: 16 + off, actual: 16 });
    }
  });

  it('reads a name without a terminator by its size', () => {
    let first = true;
    const getNextVariableName: EfiRuntimeOps['getNextVariableName'] = () => {
      if (!first) return efiFail(EfiStatus.NOT_FOUND);
      first = false;
      const variableName = encodeChar16('Odd');
      return efiOk({ variableNameSize: 6, variableName, vendorGuid: VENDOR });
    };
    expect(namesOf({ getNextVariableName })).toEqual(['Odd']);
  });

  it('starts with 512 bytes, because some firmware refuses more, and grows when asked', () => {
    const long = 'n'.repeat(700);
    const { services } = filled(['A', long, 'Z']);
    const sizes: (number | null)[] = [];
    const recording: EfiRuntimeOps = {
      ...services,
      getNextVariableName: (size, buffer, vendorGuid) => {
        sizes.push(size);
        return services.getNextVariableName(size, buffer, vendorGuid);
      },
    };
    expect(namesOf(recording)).toEqual(['A', long, 'Z']);
    expect(sizes[0]).toBe(512);
    expect(Math.max(...sizes.map(Number))).toBe(1402);
  });

  it('gives up on a buffer size that does not grow or has no end', () => {
    for (const needed of [512, 100, 0x10_0000, undefined]) {
      const detail = needed === undefined ? {} : { needed };
      const getNextVariableName = (): ReturnType<typeof efiFail> =>
        efiFail(EfiStatus.BUFFER_TOO_SMALL, detail);
      expect(walkVariables({ getNextVariableName }).end.kind).toBe('garbage');
    }
  });

  it('stops at the limit when the names never end, and at an empty name', () => {
    let count = 0;
    const endless: Pick<EfiRuntimeOps, 'getNextVariableName'> = {
      getNextVariableName: (size) => {
        count += 1;
        const variableName = char16Buffer(`V${String(count)}`, size ?? 0) ?? new Uint8Array();
        return efiOk({ variableNameSize: 2, variableName, vendorGuid: VENDOR });
      },
    };
    const walk = walkVariables(endless, { names: 100 });
    expect(walk.labels).toHaveLength(100);
    expect(walk.end).toEqual({ kind: 'too many', limit: 100 });
    const nameless = (): ReturnType<EfiRuntimeOps['getNextVariableName']> =>
      efiOk({ variableNameSize: 2, variableName: new Uint8Array(512), vendorGuid: VENDOR });
    expect(walkVariables({ getNextVariableName: nameless }).end).toEqual({
      kind: 'garbage',
      what: 'an empty name',
    });
  });

  it('keeps what it found when the service fails', () => {
    const lines: string[] = [];
    const { services } = filled(['A']);
    const failing: EfiRuntimeOps = {
      ...services,
      getNextVariableName: (size, buffer, vendorGuid) => {
        const next = services.getNextVariableName(size, buffer, vendorGuid);
        return next.ok ? next : efiFail(EfiStatus.DEVICE_ERROR);
      },
    };
    const walk = createVariables(failing, { warn: (line) => lines.push(line) }).list();
    expect(walk.labels).toHaveLength(1);
    expect(walk.end).toEqual({ kind: 'failed', status: EfiStatus.DEVICE_ERROR });
    expect(lines).toEqual(['efivars: get_next_variable: status=8000000000000007']);
  });
});
