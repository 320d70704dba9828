// The recorded calls of efivarfs, made through our variables, with answers in the form of the record. efivarfs is a file
// system on top of the variables, and only the latter are ours. What it decides by itself is left out here: the immutable
// flag, lengths of file names, and files whose variable the firmware refused, which stay until they are deleted.
import {
  bytesToHex,
  decodeEfivarfs,
  encodeEfivarfs,
  parseVariableLabel,
} from '../../../packages/efi-core/src/index.ts';
import type { Decoded, EfivarfsContent } from '../../../packages/efi-core/src/index.ts';
import type { VariableResult, Variables } from '../../../packages/efi-runtime/src/index.ts';
import { parseVariableCommand } from '../../../tools/linux-oracle/src/index.ts';
import type {
  Answer,
  RecordedCall,
  VariableCommand,
} from '../../../tools/linux-oracle/src/index.ts';

/** What of an answer is compared: the error number, the content read, the room. */
type Comparable = Pick<Answer, 'errno' | 'bytes' | 'blocks' | 'free' | 'available'>;

/** Errors of the file system, which the variables below it never heard of. */
const FILE_ERRORS: ReadonlySet<string> = new Set(['EPERM', 'ENAMETOOLONG']);

/** The calls that reached the variables, in order. */
export const callsOfVariables = (calls: readonly RecordedCall[]): readonly RecordedCall[] => {
  /** Files without a variable. */
  const empty = new Set<string>();
  return calls.filter(({ command, answer }) => {
    const parsed = parseVariableCommand(command);
    if (parsed.verb === 'space') return true;
    if (parsed.verb === 'protect') return false;
    const wasEmpty = empty.has(parsed.file);
    if (answer.size === 0) empty.add(parsed.file);
    else if (parsed.verb !== 'read' && answer.errno === undefined) empty.delete(parsed.file);
    const inspects = parsed.verb === 'read' || parsed.verb === 'delete';
    return !FILE_ERRORS.has(answer.errno ?? '') && !(wasEmpty && inspects);
  });
};

const from = <T>(result: VariableResult<T>, value: (value: T) => Comparable): Comparable =>
  result.ok ? value(result.value) : { errno: result.errno };

const INVALID: Comparable = { errno: 'EINVAL' };

/** What a write carries, where its bytes are enough for attributes. */
const contentOf = (command: VariableCommand): Decoded<EfivarfsContent> | undefined => {
  if (command.verb === 'write')
    return { ok: true, value: { attributes: command.attributes, data: command.data } };
  return command.verb === 'raw' ? decodeEfivarfs(command.bytes) : undefined;
};

/** Performs a recorded command. */
export const performVariable = (variables: Variables, text: string): Comparable => {
  const command = parseVariableCommand(text);
  if (command.verb === 'space')
    return from(variables.space(), ({ total, free, available }) => ({
      blocks: Number(total),
      free: Number(free),
      available: Number(available),
    }));
  const label = parseVariableLabel(command.file);
  if (!label.ok) return INVALID;
  const { name, vendorGuid } = label.value;
  if (command.verb === 'read')
    return from(variables.read(name, vendorGuid), (content) => ({
      bytes: bytesToHex(encodeEfivarfs(content)),
    }));
  if (command.verb === 'delete') return from(variables.delete(name, vendorGuid), () => ({}));
  const content = contentOf(command);
  if (content === undefined) throw new Error(`'${text}' does nothing to a variable`);
  if (!content.ok) return INVALID;
  const { attributes, data } = content.value;
  return from(variables.write(name, vendorGuid, attributes, data), () => ({}));
};

/** An answer of the record, without what only files have. */
export const comparableVariable = ({
  errno,
  bytes,
  blocks,
  free,
  available,
}: Answer): Comparable => ({
  ...(errno === undefined ? {} : { errno }),
  ...(bytes === undefined ? {} : { bytes }),
  ...(blocks === undefined || free === undefined || available === undefined
    ? {}
    : { blocks, free, available }),
});
