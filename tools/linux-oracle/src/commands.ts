// The commands of the guest, for whoever wants to do the same elsewhere.

/** A command for efivarfs. `file` is `Name-guid`, as a program would say it: not always a valid one. */
export type VariableCommand =
  | {
      readonly verb: 'write';
      readonly file: string;
      readonly attributes: number;
      readonly data: Uint8Array;
    }
  | { readonly verb: 'raw'; readonly file: string; readonly bytes: Uint8Array }
  | { readonly verb: 'read' | 'delete'; readonly file: string }
  | { readonly verb: 'protect'; readonly file: string; readonly immutable: boolean }
  | { readonly verb: 'space' };

/** A call of a runtime service. What is absent is zero. */
export interface ServiceCommand {
  readonly service: string;
  readonly name: string;
  /** EFI_GUID. */
  readonly vendor: Uint8Array;
  readonly attributes: number;
  /** Of the data given, or the room for what comes. */
  readonly size: number;
  readonly data: Uint8Array;
  /** EFI_TIME. */
  readonly time: Uint8Array;
  readonly enabled: boolean;
  /** Names of the pointers that are NULL. */
  readonly nullPointers: readonly string[];
}

const fromHex = (text: string): Uint8Array => Buffer.from(text, 'hex');

/** The bytes of `0102`, of `aa*1000` (a thousand of the same) and of `-` (none). */
const parseBytes = (text: string): Uint8Array => {
  const [pattern = '', count] = text.split('*');
  if (text === '-') return new Uint8Array();
  return count === undefined
    ? fromHex(text)
    : new Uint8Array(Number(count)).fill(Number.parseInt(pattern, 16));
};

/** A command of the `efivarfs` calls. Throws on one that the guest does not know. */
export const parseVariableCommand = (command: string): VariableCommand => {
  const [verb, file = '', second = '', third = ''] = command.split(' ');
  switch (verb) {
    case 'write':
      return { verb, file, attributes: Number.parseInt(second, 16), data: parseBytes(third) };
    case 'raw':
      return { verb, file, bytes: parseBytes(second) };
    case 'read':
    case 'delete':
      return { verb, file };
    case 'protect':
      return { verb, file, immutable: second === 'on' };
    case 'space':
      return { verb };
    default:
      throw new Error(`'${command}' is no command for efivarfs`);
  }
};

/** A command of the `runtimeServices` calls. Throws on one that the guest does not know. */
export const parseServiceCommand = (command: string): ServiceCommand => {
  const [verb, service, ...words] = command.split(' ');
  if (verb !== 'call' || service === undefined)
    throw new Error(`'${command}' is no call of a service`);
  const values = new Map(
    words.map((word) => {
      const at = word.indexOf('=');
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
  const bytesOf = (key: string, size: number): Uint8Array => {
    const bytes = new Uint8Array(size);
    bytes.set(fromHex(values.get(key) ?? ''));
    return bytes;
  };
  const data = parseBytes(values.get('data') ?? '-');
  const size = values.get('size');
  return {
    service,
    name: values.get('name') ?? '',
    vendor: bytesOf('vendor', 16),
    attributes: Number.parseInt(values.get('attributes') ?? '0', 16),
    size: size === undefined ? data.length : Number(size),
    data,
    time: bytesOf('time', 16),
    enabled: values.get('enabled') === '1',
    nullPointers: (values.get('null') ?? '').split(',').filter((name) => name !== ''),
  };
};
