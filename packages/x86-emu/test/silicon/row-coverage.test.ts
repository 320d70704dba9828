/** Every row that user mode can execute is met by a recorded vector, or stands here with the reason why not. */
import { expect, test } from 'vitest';
import { Decoder } from '../../src/decode/decoder.ts';
import type { DecodeMode } from '../../src/decode/decoder.ts';
import { buildDecodeTable } from '../../src/decode/decode-table.ts';
import type { Row } from '../../src/isa/row.ts';
import { ROWS } from '../../src/isa/table.ts';
import type { CodeMode } from './cpu-case.ts';
import { readFamily, vectorFamilies } from './replay.ts';

const HOST = 'the answer tells of the host, not of the instruction';
const KERNEL = 'enters the kernel';
const EMULATED = 'Linux answers in its place (UMIP)';
const IN_USE = "which components are in use is the maker's choice";

const NOT_RECORDED: Readonly<Record<string, string>> = {
  CPUID: HOST,
  RDTSC: HOST,
  RDTSCP: HOST,
  RDPMC: HOST,
  RDPID: HOST,
  RDRAND: HOST,
  RDSEED: HOST,
  XGETBV: HOST,
  SYSCALL: KERNEL,
  SYSENTER: KERNEL,
  SGDT: EMULATED,
  SIDT: EMULATED,
  SLDT: EMULATED,
  SMSW: EMULATED,
  STR: EMULATED,
  XSAVE: IN_USE,
  XSAVE64: IN_USE,
  XSAVEOPT: IN_USE,
  XSAVEOPT64: IN_USE,
  XRSTOR: IN_USE,
  XRSTOR64: IN_USE,
};

const MODES: Readonly<Record<CodeMode, DecodeMode>> = {
  64: { code: 'long', defaultSize: 64, protected: true },
  32: { code: 'legacy', defaultSize: 32, protected: true },
  16: { code: 'legacy', defaultSize: 16, protected: true },
};

test('every row of user mode is recorded', { timeout: 120_000 }, () => {
  const decoder = new Decoder(buildDecodeTable(ROWS, () => true));
  const met = new Set<Row>();
  for (const family of vectorFamilies()) {
    for (const { testCase } of readFamily(family)) {
      const { code, form } = testCase;
      if (decoder.decode(code, 0, code.length, MODES[form.mode]) === 'ok')
        met.add(decoder.entry.row);
    }
  }
  const missing = ROWS.filter((row) => !met.has(row) && !(row.mnemonic in NOT_RECORDED));
  expect(missing.map((row) => `${row.mnemonic}  ${row.op}  ${row.operands.join(',')}`)).toEqual([]);
});
