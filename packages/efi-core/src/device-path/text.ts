import { decodeChar16, encodeChar16Z } from '../char16.ts';
import { decoded, malformed } from '../decoded.ts';
import type { Decoded } from '../decoded.ts';
import { equalBytes, joinBytes } from '../join-bytes.ts';
import { DEVICE_PATH_END_TYPE } from './node.ts';
import type { DevicePath, DevicePathInstance, DevicePathNode } from './node.ts';
import { REST_HEX } from './piece.ts';
import type { DevicePathPiece } from './piece.ts';
import { DEVICE_PATH_ROWS } from './rows.ts';
import type { DevicePathRow } from './rows.ts';

const MEDIA = 4;
const FILE_PATH = 4;

/** Words of the generic forms, by node type (UEFI 2.10, section 10.6). */
const GENERIC: ReadonlyMap<number, string> = new Map([
  [1, 'HardwarePath'],
  [2, 'AcpiPath'],
  [3, 'Msg'],
  [4, 'MediaPath'],
  [5, 'BbsPath'],
]);

/** One field of a node, for people and JSON. */
export interface DevicePathField {
  readonly name: string;
  readonly text: string;
}

/** A node in words. */
export interface DevicePathNodeText {
  readonly keyword: string;
  /** In text order. */
  readonly fields: readonly DevicePathField[];
}

const pieceLength = (piece: DevicePathPiece, data: Uint8Array, at: number): number => {
  if (piece.size === 'rest') return data.length - at;
  if (piece.size !== 'asciiz') return piece.size;
  const nul = data.indexOf(0, at);
  return nul < 0 ? data.length + 1 : nul + 1 - at;
};

const printFields = (
  row: DevicePathRow,
  data: Uint8Array,
): readonly DevicePathField[] | undefined => {
  const texts = new Map<string, string>();
  let at = 0;
  for (const [name, piece] of Object.entries(row.pieces)) {
    const length = pieceLength(piece, data, at);
    if (at + length > data.length) return undefined;
    const text = piece.print(data.subarray(at, at + length));
    if (text === undefined) return undefined;
    texts.set(name, text);
    at += length;
  }
  if (at !== data.length) return undefined;
  return row.order.map((name) => ({ name, text: texts.get(name) ?? '' }));
};

const joinFields = (keyword: string, fields: readonly DevicePathField[]): string => {
  const texts = fields.map(({ text }) => text);
  while (texts.at(-1) === '') texts.pop();
  return `${keyword}(${texts.join(',')})`;
};

const parseFields = (row: DevicePathRow, args: readonly string[]): Uint8Array | undefined => {
  const texts = new Map<string, string>();
  let next = 0;
  for (const name of row.order) {
    const piece = row.pieces[name];
    const arity = piece?.arity ?? 1;
    const taken = args.slice(next, arity === Number.POSITIVE_INFINITY ? undefined : next + arity);
    const text = taken.length === 0 ? piece?.fallback : taken.join(',');
    if (text === undefined) return undefined;
    texts.set(name, text);
    next += taken.length;
  }
  if (next !== args.length) return undefined;
  const parts: Uint8Array[] = [];
  for (const [name, piece] of Object.entries(row.pieces)) {
    const bytes = piece.parse(texts.get(name) ?? '');
    if (bytes === undefined) return undefined;
    parts.push(bytes);
  }
  return joinBytes(parts);
};

/** Whether every parenthesis and quote that a text opens is closed in it. */
const isClosed = (text: string): boolean => {
  let depth = 0;
  let quoted = false;
  for (const letter of text) {
    if (letter === '"') quoted = !quoted;
    else if (letter === '(' && !quoted) depth += 1;
    else if (letter === ')' && !quoted) depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0 && !quoted;
};

interface Chunk {
  readonly text: string;
  readonly offset: number;
  /** What stands after it. */
  readonly stop: '/' | ',' | '';
}

/** Cuts a text at the slashes and commas outside parentheses and quotes. */
const cut = (text: string, stops: string): readonly Chunk[] => {
  const chunks: Chunk[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (letter === '"') quoted = !quoted;
    else if (letter === '(' && !quoted) depth += 1;
    else if (letter === ')' && !quoted) depth -= 1;
    else if (depth === 0 && !quoted && stops.includes(letter)) {
      chunks.push({ text: text.slice(from, at), offset: from, stop: letter === '/' ? '/' : ',' });
      from = at + 1;
    }
  }
  return [...chunks, { text: text.slice(from), offset: from, stop: '' }];
};

const genericNode = (keyword: string, args: readonly string[]): DevicePathNode | undefined => {
  const numbers = (keyword === 'Path' ? args : [typeOf(keyword), ...args]).slice(0, 2);
  const data = (keyword === 'Path' ? args[2] : args[1]) ?? '';
  const [type, subType] = numbers.map((text) =>
    /^(?:0x[0-9a-f]+|[0-9]+)$/i.test(text ?? '') ? Number(text) : 256,
  );
  const bytes = REST_HEX.parse(data);
  const count = keyword === 'Path' ? args.length - 1 : args.length;
  if (type === undefined || subType === undefined || bytes === undefined) return undefined;
  if (type > 255 || subType > 255 || count < 1 || count > 2) return undefined;
  return type === DEVICE_PATH_END_TYPE ? undefined : { type, subType, data: bytes };
};

const typeOf = (keyword: string): string | undefined =>
  [...GENERIC].find(([, word]) => word === keyword)?.[0].toString();

const filePath = (text: string): DevicePathNode => ({
  type: MEDIA,
  subType: FILE_PATH,
  data: encodeChar16Z(text),
});

const parseNode = (text: string): DevicePathNode | undefined => {
  const form = /^([A-Za-z][A-Za-z0-9-]*)\((.*)\)$/s.exec(text);
  if (form?.[1] === undefined || form[2] === undefined) {
    return text === '' ? undefined : filePath(text);
  }
  const [, keyword, inside] = form;
  if (keyword === 'File') return filePath(inside);
  const args = inside === '' ? [] : cut(inside, ',').map((chunk) => chunk.text.trim());
  for (const row of DEVICE_PATH_ROWS) {
    if (row.keyword === keyword) {
      const data = parseFields(row, args);
      if (data !== undefined) return { type: row.type, subType: row.subType, data };
    }
  }
  return genericNode(keyword, args);
};

/** Whether a node's text, read again in the middle of a path, gives the node back. */
const survives = (text: string, node: DevicePathNode): boolean => {
  const [chunk, after, ...more] = cut(`${text}/`, '/,');
  if (chunk?.text !== text || after?.text !== '' || more.length > 0) return false;
  const read = parseNode(text.trim());
  return (
    read?.type === node.type && read.subType === node.subType && equalBytes(read.data, node.data)
  );
};

/** The form a node has a text of its own in; undefined when only the generic form fits its bytes. */
export const describeDevicePathNode = (node: DevicePathNode): DevicePathNodeText | undefined => {
  for (const row of DEVICE_PATH_ROWS) {
    if (row.type === node.type && row.subType === node.subType) {
      const fields = printFields(row, node.data);
      if (fields !== undefined && survives(joinFields(row.keyword, fields), node)) {
        return { keyword: row.keyword, fields };
      }
    }
  }
  return undefined;
};

/** The text of one node, such that reading it gives the same bytes. */
export const formatDevicePathNode = (node: DevicePathNode): string => {
  if (node.type === MEDIA && node.subType === FILE_PATH) {
    const path = decodeChar16(node.data).replace(/\0$/, '');
    if (survives(path, node)) return path;
  }
  const described = describeDevicePathNode(node);
  if (described !== undefined) return joinFields(described.keyword, described.fields);
  const data = REST_HEX.print(node.data) ?? '';
  const keyword = GENERIC.get(node.type);
  const numbers = keyword === undefined ? [node.type, node.subType] : [node.subType];
  return joinFields(
    keyword ?? 'Path',
    [...numbers.map(String), data].map((text) => ({ name: '', text })),
  );
};

/** The text form of UEFI 2.10, section 10.6: nodes joined by `/`, instances by `,`. */
export const formatDevicePath = (path: DevicePath): string =>
  path.map((instance) => instance.map(formatDevicePathNode).join('/')).join(',');

/**
 * Reads the text form. Numbers may be decimal or hex, `File(\path)` is a file path like `\path` by itself; a word nobody
 * knows and a parenthesis that stays open are errors with their place in the text.
 */
export const parseDevicePath = (text: string): Decoded<DevicePath> => {
  if (text === '') return decoded([[]]);
  const instances: DevicePathInstance[] = [];
  let nodes: DevicePathNode[] = [];
  for (const chunk of cut(text, '/,')) {
    const node = isClosed(chunk.text) ? parseNode(chunk.text.trim()) : undefined;
    if (node === undefined) {
      return malformed(
        'device path text',
        chunk.offset,
        'a device path node',
        JSON.stringify(chunk.text),
      );
    }
    nodes.push(node);
    if (chunk.stop === ',') {
      instances.push(nodes);
      nodes = [];
    }
  }
  return decoded([...instances, nodes]);
};
