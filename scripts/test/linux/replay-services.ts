// The recorded calls of runtime services, made through our guarded services, with answers in the form of the record.
import {
  bytesToHex,
  char16Buffer,
  decodeChar16,
  EFI_TIME,
  EFI_TIME_CAPABILITIES,
  guidFromBytes,
  guidToBytes,
} from '../../../packages/efi-core/src/index.ts';
import type {
  EfiFailure,
  EfiResult,
  EfiRuntimeOps,
  EfiTime,
  Guid,
} from '../../../packages/efi-core/src/index.ts';
import { parseServiceCommand } from '../../../tools/linux-oracle/src/index.ts';
import type { Answer, ServiceCommand } from '../../../tools/linux-oracle/src/index.ts';

/** What of an answer is compared: the status, and what a caller may rely on after it. */
type Comparable = Pick<
  Answer,
  | 'status'
  | 'time'
  | 'capabilities'
  | 'enabled'
  | 'pending'
  | 'attributes'
  | 'data'
  | 'name'
  | 'vendor'
  | 'size'
  | 'count'
  | 'results'
>;

const statusText = (status: bigint): string => `0x${status.toString(16)}`;

const from = <T>(
  result: EfiResult<T, EfiFailure & { readonly needed?: number }>,
  value: (value: T) => Comparable,
): Comparable =>
  result.ok
    ? { status: '0x0', ...value(result.value) }
    : {
        status: statusText(result.status),
        ...(result.needed === undefined ? {} : { size: result.needed }),
      };

const timeOf = (bytes: Uint8Array): EfiTime => {
  const time = EFI_TIME.decode(bytes);
  if (!time.ok) throw new Error('a recorded EFI_TIME has 16 bytes');
  return time.value;
};

const timeText = (time: EfiTime): string => bytesToHex(EFI_TIME.encode(time));
/** `setsToZero` is the ninth byte; what follows is padding. */
const CAPABILITIES_SIZE = 9;
/** Characters of the guest's buffer for a name. */
const NAME_LENGTH = 512;

/** Names of output pointers in the script that are NULL, by the names our tables have for them. */
const nullsOf = <N extends string>(
  { nullPointers }: ServiceCommand,
  names: Readonly<Record<string, N>>,
): readonly N[] => nullPointers.flatMap((pointer) => names[pointer] ?? []);

const getVariable = (services: EfiRuntimeOps, command: ServiceCommand): Comparable =>
  from(
    services.getVariable(
      command.nullPointers.includes('name') ? null : command.name,
      vendorOf(command),
      command.size,
      nullsOf(command, { attributes: 'attributes', size: 'dataSize', data: 'data' }),
    ),
    ({ attributes = 0, data }) => ({ attributes, data: bytesToHex(data), size: data.length }),
  );

const guidOf = (bytes: Uint8Array): Guid => {
  const decoded = guidFromBytes(bytes);
  if (!decoded.ok) throw new Error('a recorded EFI_GUID has 16 bytes');
  return decoded.value;
};

const vendorOf = (command: ServiceCommand): Guid | null =>
  command.nullPointers.includes('vendor') ? null : guidOf(command.vendor);

const getNextVariableName = (services: EfiRuntimeOps, command: ServiceCommand): Comparable => {
  const { nullPointers, name, size } = command;
  const buffer = char16Buffer(name, NAME_LENGTH * 2);
  if (buffer === undefined) throw new Error(`${name} does not fit the guest's buffer`);
  return from(
    services.getNextVariableName(
      nullPointers.includes('size') ? null : size,
      nullPointers.includes('name') ? null : buffer,
      vendorOf(command),
    ),
    ({ variableName, variableNameSize, vendorGuid }) => ({
      name: decodeChar16(variableName.subarray(0, variableNameSize - 2)),
      vendor: bytesToHex(guidToBytes(vendorGuid)),
      size: variableNameSize,
    }),
  );
};

const capsuleCalls = (services: EfiRuntimeOps, command: ServiceCommand): Comparable => {
  const capsules = [command.data];
  return command.service === 'UpdateCapsule'
    ? from(services.updateCapsule(capsules, command.size, 0n), () => ({}))
    : from(
        services.queryCapsuleCapabilities(
          capsules,
          command.size,
          nullsOf(command, { maximum: 'maximumCapsuleSize', remaining: 'resetType' }),
        ),
        ({ maximumCapsuleSize, resetType }) => ({
          results: [Number(maximumCapsuleSize), resetType, 0],
        }),
      );
};

const timeCalls = (services: EfiRuntimeOps, command: ServiceCommand): Comparable | undefined => {
  const time = command.nullPointers.includes('time') ? null : timeOf(command.time);
  switch (command.service) {
    case 'GetTime':
      return from(
        services.getTime(nullsOf(command, { time: 'time', capabilities: 'capabilities' })),
        (value) => ({
          time: timeText(value.time),
          capabilities: bytesToHex(
            value.capabilities === undefined
              ? new Uint8Array(CAPABILITIES_SIZE)
              : EFI_TIME_CAPABILITIES.encode(value.capabilities).subarray(0, CAPABILITIES_SIZE),
          ),
        }),
      );
    case 'SetTime':
      return from(services.setTime(time), () => ({}));
    case 'GetWakeupTime':
      return from(
        services.getWakeupTime(
          nullsOf(command, { enabled: 'enabled', pending: 'pending', time: 'time' }),
        ),
        (value) => ({ ...value, time: timeText(value.time) }),
      );
    case 'SetWakeupTime':
      return from(services.setWakeupTime(command.enabled, time), () => ({}));
    default:
      return undefined;
  }
};

/** Performs a recorded command. Throws for a service that there is none of. */
export const performService = (services: EfiRuntimeOps, text: string): Comparable => {
  const command = parseServiceCommand(text);
  const timed = timeCalls(services, command);
  if (timed !== undefined) return timed;
  const name = command.nullPointers.includes('name') ? null : command.name;
  switch (command.service) {
    case 'GetVariable':
      return getVariable(services, command);
    case 'GetNextVariableName':
      return getNextVariableName(services, command);
    case 'SetVariable': {
      const data = command.nullPointers.includes('data') ? null : command.data;
      return from(
        services.setVariable(name, vendorOf(command), command.attributes, command.size, data),
        () => ({}),
      );
    }
    case 'QueryVariableInfo':
      return from(
        services.queryVariableInfo(
          command.attributes,
          nullsOf(command, {
            maximum: 'maximumVariableStorageSize',
            remaining: 'remainingVariableStorageSize',
            limit: 'maximumVariableSize',
          }),
        ),
        (info) => ({
          results: [
            Number(info.maximumVariableStorageSize),
            Number(info.remainingVariableStorageSize),
            Number(info.maximumVariableSize),
          ],
        }),
      );
    case 'GetNextHighMonotonicCount':
      return from(
        services.getNextHighMonotonicCount(nullsOf(command, { maximum: 'highCount' })),
        (count) => ({ count }),
      );
    case 'QueryCapsuleCapabilities':
    case 'UpdateCapsule':
      return capsuleCalls(services, command);
    default:
      throw new Error(`no service ${command.service}`);
  }
};

/** An answer of the record, without what a caller may not rely on: sizes that stay as they were given. */
export const comparableService = ({ size, ...answer }: Answer): Comparable => ({
  ...answer,
  ...(size === undefined || !['0x0', '0x8000000000000005'].includes(answer.status ?? '')
    ? {}
    : { size }),
});
