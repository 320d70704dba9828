import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import { parseGuid } from './guid.ts';
import { bytesToHex, hexToBytes } from './hex.ts';
import { EFI_TIME } from './time.ts';
import type { EfiVariable } from './variable.ts';

/** One variable in the JSON that virt-fw-vars and QEMU exchange. */
export interface VariableJson {
  readonly name: string;
  readonly guid: string;
  readonly attr: number;
  /** Hex digits. */
  readonly data: string;
  /** EFI_TIME as 32 hex digits. */
  readonly time?: string;
}

/** The JSON document of virt-fw-vars `--output-json`. */
export interface VariableListJson {
  readonly version: 2;
  readonly variables: readonly VariableJson[];
}

const fromHex = (text: unknown): Uint8Array | undefined =>
  typeof text === 'string' ? hexToBytes(text) : undefined;

/** Variables as a value ready for `JSON.stringify`. */
export const variablesToJson = (variables: readonly EfiVariable[]): VariableListJson => ({
  version: 2,
  variables: variables.map(({ name, vendorGuid, attributes, data, timeStamp }) => ({
    name,
    guid: vendorGuid,
    attr: attributes,
    data: bytesToHex(data),
    ...(timeStamp === undefined ? {} : { time: bytesToHex(EFI_TIME.encode(timeStamp)) }),
  })),
});

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const bad = (index: number, field: string, expected: string, found: unknown): Decoded<never> =>
  malformed(
    `variables[${String(index)}].${field}`,
    index,
    expected,
    JSON.stringify(found) ?? 'nothing',
  );

const readVariable = (value: unknown, index: number): Decoded<EfiVariable> => {
  if (!isObject(value)) return bad(index, '', 'an object', value);
  const { name, guid, attr, data, time } = value;
  if (typeof name !== 'string') return bad(index, 'name', 'a string', name);
  const vendorGuid = typeof guid === 'string' ? parseGuid(guid) : undefined;
  if (vendorGuid === undefined) return bad(index, 'guid', 'a GUID', guid);
  if (typeof attr !== 'number' || !Number.isInteger(attr) || attr < 0 || attr > 0xffff_ffff) {
    return bad(index, 'attr', 'a number of 32 bits', attr);
  }
  const bytes = fromHex(data);
  if (bytes === undefined) return bad(index, 'data', 'hex digits', data);
  const variable: EfiVariable = { name, vendorGuid, attributes: attr, data: bytes };
  if (time === undefined) return decoded(variable);
  const stamp = EFI_TIME.decode(fromHex(time) ?? new Uint8Array());
  if (!stamp.ok) return bad(index, 'time', '32 hex digits', time);
  return decoded({ ...variable, timeStamp: stamp.value });
};

/** Reads the value `JSON.parse` gave for such a document. Offsets of errors count variables; members nobody knows are ignored. */
export const variablesFromJson = (value: unknown): Decoded<readonly EfiVariable[]> => {
  if (!isObject(value) || !Array.isArray(value['variables'])) {
    return malformed('variable list', 0, 'an object with a list "variables"', typeof value);
  }
  if (value['version'] !== 2) {
    return malformed(
      'variable list version',
      0,
      '2',
      JSON.stringify(value['version']) ?? 'nothing',
    );
  }
  const variables: EfiVariable[] = [];
  for (const [index, one] of (value['variables'] as readonly unknown[]).entries()) {
    const variable = readVariable(one, index);
    if (!variable.ok) return variable;
    variables.push(variable.value);
  }
  return decoded(variables);
};
