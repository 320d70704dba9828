/**
 * Opcode-map sweeps for #UD: every opcode of the one-byte, 0F, 0F 38 and 0F 3A maps with each mandatory prefix and ModRM
 * group. Only what the host refuses is kept: the engine has a subset of its features, so it must refuse that too.
 */
import type { CaseForm, CodeMode, CpuCase } from '../../packages/x86-emu/test/silicon/cpu-case.ts';
import { CODE_OFFSET, DATA_BASE } from '../../packages/x86-emu/test/silicon/layout.ts';
import { seededState } from '../../packages/x86-emu/test/silicon/seeded-state.ts';

const hex = (n: number): string => n.toString(16).toUpperCase().padStart(2, '0');
const PREFIXES: readonly number[] = [0, 0x66, 0xf3, 0xf2];

/** Prefixes are no opcodes; SYSCALL, SYSENTER, INT and the VMMCALL, WRPKRU, MWAITX group are not to be tried. */
const ONE_BYTE_SKIPPED = new Set([
  0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0xc4, 0xc5, 0xcd,
]);
const TWO_BYTE_SKIPPED = new Set([0x01, 0x05, 0x34, 0x38, 0x3a]);

const sweep = (
  lead: readonly number[],
  list: readonly number[],
  forms: readonly number[],
): number[][] => list.flatMap((byte) => forms.map((modrm) => [...lead, byte, modrm]));

const opcodes = (mode: CodeMode): { label: string; codes: number[][] }[] => {
  const modrms: number[] = [];
  for (let digit = 0; digit < 8; digit++) modrms.push(digit << 3, 0xc0 | (digit << 3) | 1);
  const all = Array.from({ length: 256 }, (_, i) => i);
  const prefixed = (
    label: string,
    lead: readonly number[],
    list: readonly number[],
    forms: readonly number[],
  ): { label: string; codes: number[][] }[] =>
    PREFIXES.map((p) => ({
      label: `${p === 0 ? '' : `${hex(p)} `}${label}`,
      codes: sweep(p === 0 ? lead : [p, ...lead], list, forms),
    }));
  const oneByte = all.filter((b) => !ONE_BYTE_SKIPPED.has(b) && !(mode === 64 && b >> 4 === 4));
  const x87 = Array.from({ length: 64 }, (_, i) => 0xc0 | i);
  return [
    { label: 'one-byte map', codes: sweep([], oneByte, modrms) },
    {
      label: 'D8-DF',
      codes: sweep(
        [],
        all.filter((b) => b >> 3 === 0x1b),
        x87,
      ),
    },
    ...prefixed(
      '0F map',
      [0x0f],
      all.filter((b) => !TWO_BYTE_SKIPPED.has(b)),
      modrms,
    ),
    ...prefixed('0F 38 map', [0x0f, 0x38], all, [0x00, 0xc1]),
    ...prefixed('0F 3A map', [0x0f, 0x3a], all, [0x00, 0xc1]),
  ];
};

export const undefinedOpcodeCases = (): CpuCase[] =>
  ([64, 32] as const).flatMap((mode) =>
    opcodes(mode).flatMap(({ label, codes }) => {
      const form: CaseForm = { mnemonic: 'UNDEFINED', label, mode, kind: 'int', size: 32 };
      const initial = seededState(mode, 'int', 1);
      initial.gpr[0] = BigInt(DATA_BASE + 0x800);
      return codes.map((code): CpuCase => ({
        form,
        seed: 1,
        code: Uint8Array.from([...code, 0, 0, 0, 0, 0]),
        codeOffset: CODE_OFFSET,
        step: 'trap',
        initial,
        memory: [],
      }));
    }),
  );
