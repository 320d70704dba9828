/** The opcode column of a row (`Row.op`), parsed. */

/** Opcode maps: 0 one-byte, 1 `0F`, 2 `0F 38`, 3 `0F 3A`. */
export type OpcodeMap = 0 | 1 | 2 | 3;

export interface OpcodePattern {
  readonly vex: boolean;
  readonly map: OpcodeMap;
  readonly byte: number;
  /** The low three opcode bits are a register. */
  readonly plusRegister: boolean;
  /** Mandatory prefix; `none` refuses 66, F2 and F3, `noRepeat` F2 and F3; undefined accepts and ignores them. */
  readonly prefix: 'none' | 'noRepeat' | '66' | 'F3' | 'F2' | undefined;
  /** REX.W or VEX.W demanded. */
  readonly w: boolean | undefined;
  readonly hasModrm: boolean;
  /** ModRM.reg demanded, or -1. */
  readonly digit: number;
  /** The whole ModRM byte demanded, or -1. */
  readonly modrm: number;
}

const PREFIX = { NP: 'none', NFx: 'noRepeat', '66': '66', F3: 'F3', F2: 'F2' } as const;

const VEX_MAP: Record<string, OpcodeMap> = { '0F': 1, '0F38': 2, '0F3A': 3 };

/** Parses an opcode column; throws on a malformed one, naming it. */
export const parseOpcode = (op: string): OpcodePattern => {
  const bad = (why: string): never => {
    throw new Error(`row opcode '${op}': ${why}`);
  };
  const tokens = op.trim().split(/\s+/);
  let prefix: OpcodePattern['prefix'];
  let w: boolean | undefined;
  let map: OpcodeMap = 0;
  let vex = false;
  let at = 0;
  const first = tokens[0] ?? '';
  if (first.startsWith('VEX.')) {
    vex = true;
    prefix = 'none';
    for (const part of first.split('.').slice(1)) {
      if (part === 'W0' || part === 'W1') w = part === 'W1';
      else if (part in VEX_MAP) map = VEX_MAP[part] as OpcodeMap;
      else if (part === '66' || part === 'F2' || part === 'F3') prefix = part;
      else if (!['LZ', 'L0', '128', 'NP', 'WIG'].includes(part)) bad(`unknown VEX part ${part}`);
    }
    at = 1;
  } else {
    // A lone 66, F2 or F3 is a mandatory prefix only before 0F; 90 with F3 (PAUSE) is the exception.
    if (first in PREFIX && tokens.length > 1) {
      prefix = PREFIX[first as keyof typeof PREFIX];
      at = 1;
    }
    if (tokens[at] === 'REX.W') {
      w = true;
      at++;
      if (tokens[at] === '+') at++;
    }
    if (tokens[at] === '0F' && tokens.length > at + 1) {
      map = 1;
      at++;
      if (tokens[at] === '38' || tokens[at] === '3A') {
        const next = tokens[at + 1];
        if (next !== undefined && /^[0-9A-F]{2}/.test(next)) {
          map = tokens[at] === '38' ? 2 : 3;
          at++;
        }
      }
    }
  }
  const opcode = tokens[at++] ?? bad('no opcode byte');
  const match = /^([0-9A-F]{2})(\+r)?$/.exec(opcode) ?? bad(`bad opcode byte ${opcode}`);
  const byte = Number.parseInt(match[1] as string, 16);
  const plusRegister = match[2] !== undefined;
  if (plusRegister && (byte & 7) !== 0) bad('+r needs an opcode with clear low bits');
  const rest = tokens[at++];
  if (at < tokens.length) bad(`unexpected ${tokens.slice(at).join(' ')}`);
  const base = { vex, map, byte, plusRegister, prefix, w };
  if (rest === undefined) return { ...base, hasModrm: false, digit: -1, modrm: -1 };
  if (rest === '/r') return { ...base, hasModrm: true, digit: -1, modrm: -1 };
  if (/^\/[0-7]$/.test(rest)) return { ...base, hasModrm: true, digit: Number(rest[1]), modrm: -1 };
  if (/^[0-9A-F]{2}$/.test(rest))
    return { ...base, hasModrm: true, digit: -1, modrm: Number.parseInt(rest, 16) };
  return bad(`unexpected ${rest}`);
};
