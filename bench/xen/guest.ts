// A dom0 that makes hypercalls in loops and says on the console when each loop begins and ends: the same work on every machine.
import { encodeChar16Z, WellKnownGuid } from '../../packages/efi-core/src/index.ts';
import {
  CONSOLEIO,
  HYPERCALL,
  HYPERCALL_SLOT_SIZE,
  XENVER,
} from '../../packages/platform-xen/src/abi/hypercall.ts';
import type { HypercallName } from '../../packages/platform-xen/src/abi/hypercall.ts';
import {
  XEN_EFI,
  xen_efi_variable,
  xen_platform_op,
  XENPF,
  xenpf_efi_runtime_call,
  XENPF_INTERFACE_VERSION,
} from '../../packages/platform-xen/src/abi/platform-op.ts';
import { DOM0_LAYOUT, dom0Kernel } from '../../packages/platform-xen/src/index.ts';

/** Loops of the guest, in their order. */
export const HYPERCALLS = ['xen_version', 'platform_op get_variable'] as const;
export type HypercallWork = (typeof HYPERCALLS)[number];

const ROUNDS: Readonly<Record<HypercallWork, number>> = {
  xen_version: 200_000,
  'platform_op get_variable': 20_000,
};

/** How often each is made. */
export const roundsOf = (work: HypercallWork, quick: boolean): number =>
  ROUNDS[work] / (quick ? 10 : 1);

/** What the guest prints before and after a loop. */
export const beginOf = (work: HypercallWork): string => `begin ${work}`;
export const endOf = (work: HypercallWork): string => `end ${work}`;

const PAGE = 4096;
/** Where data stands in the page of the code. */
const DATA = 2048;
/** Of the program header of the one segment that is loaded: its place in the file. */
const P_OFFSET = 64 + 8;

const le64 = (value: bigint): readonly number[] =>
  Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
const le32 = (value: number): readonly number[] => le64(BigInt(value)).slice(0, 4);

/** mov r64, imm64, by the register's number. */
const mov = (register: number, value: bigint): readonly number[] => [
  0x48,
  0xb8 + register,
  ...le64(value),
];
const RAX = 0;
const RCX = 1;
const RDX = 2;
const RBX = 3;
const RSI = 6;
const RDI = 7;

const UD2 = [0x0f, 0x0b];
/** test rax, rax; jns over UD2 */
const CHECK_NOT_NEGATIVE = [0x48, 0x85, 0xc0, 0x79, 2, ...UD2];
/** cmp qword ptr [rax], 0; je over UD2 */
const CHECK_ZERO_AT_RAX = [0x48, 0x83, 0x38, 0, 0x74, 2, ...UD2];
/** mov dword ptr [rax], 0 */
const CLEAR_AT_RAX = [0xc7, 0x00, 0, 0, 0, 0];
/** rep movsb */
const COPY = [0xf3, 0xa4];
/** jmp to itself */
const STAY = [0xeb, 0xfe];

const hypercall = (name: HypercallName, args: readonly bigint[]): readonly number[] => [
  ...args.flatMap((value, index) => mov([RDI, RSI, RDX][index] ?? RDI, value)),
  ...mov(RAX, DOM0_LAYOUT.hypercallPage + BigInt(HYPERCALL[name] * HYPERCALL_SLOT_SIZE)),
  ...[0xff, 0xd0], // call rax
];

const loop = (rounds: number, body: readonly number[]): readonly number[] => [
  ...mov(RBX, BigInt(rounds)),
  ...body,
  ...[0xff, 0xcb], // dec ebx
  ...[0x0f, 0x85, ...le32(-(body.length + 8))], // jnz to the body
];

/** The program's memory: what stands in it must lie where code does not, for it is written. */
class Data {
  readonly #bytes: number[] = [];

  /** Places bytes; gives their address in the heap. */
  place(bytes: Iterable<number>): bigint {
    while (this.#bytes.length % 8 !== 0) this.#bytes.push(0);
    const at = DOM0_LAYOUT.heap + BigInt(this.#bytes.length);
    this.#bytes.push(...bytes);
    return at;
  }

  get bytes(): readonly number[] {
    return this.#bytes;
  }
}

const print = (data: Data, text: string): readonly number[] => {
  const bytes = new TextEncoder().encode(`${text}\n`);
  return hypercall('console_io', [
    BigInt(CONSOLEIO.write),
    BigInt(bytes.length),
    data.place(bytes),
  ]);
};

interface PlacedCall {
  readonly at: bigint;
  /** Of its fields. */
  readonly misc: bigint;
  readonly status: bigint;
}

/** A platform_op for GetVariable of a variable of one byte that every firmware has. */
const placeGetVariable = (data: Data): PlacedCall => {
  const name = data.place(encodeChar16Z('SetupMode'));
  const variable = {
    name,
    size: 1n,
    data: data.place([0]),
    vendor_guid: WellKnownGuid.EFI_GLOBAL_VARIABLE,
  };
  const head = xenpf_efi_runtime_call.size();
  const u = new Uint8Array(xen_platform_op.size() - xen_platform_op.offsetOf('u'));
  u.set(xenpf_efi_runtime_call.encode({ function: XEN_EFI.get_variable, misc: 0, status: 0n }));
  u.set(xen_efi_variable.encode(variable), head);
  const op = { cmd: XENPF.efi_runtime_call, interface_version: XENPF_INTERFACE_VERSION, u };
  const at = data.place(xen_platform_op.encode(op));
  const field = (member: 'misc' | 'status'): bigint =>
    at + BigInt(xen_platform_op.offsetOf('u') + xenpf_efi_runtime_call.offsetOf(member));
  return { at, misc: field('misc'), status: field('status') };
};

/** The kernel: boots as `dom0Kernel` does, and then works. A hypercall that fails ends it with an exception. */
export const countingKernel = (quick: boolean): Uint8Array => {
  const data = new Data();
  const variable = placeGetVariable(data);
  const bodies: Readonly<Record<HypercallWork, readonly number[]>> = {
    xen_version: [...hypercall('xen_version', [BigInt(XENVER.version), 0n]), ...CHECK_NOT_NEGATIVE],
    'platform_op get_variable': [
      // The attributes come back in it, and it must be 0 on the way in.
      ...mov(RAX, variable.misc),
      ...CLEAR_AT_RAX,
      ...hypercall('platform_op', [variable.at]),
      ...CHECK_NOT_NEGATIVE,
      ...mov(RAX, variable.status),
      ...CHECK_ZERO_AT_RAX,
    ],
  };
  const work = HYPERCALLS.flatMap((name) => [
    ...print(data, beginOf(name)),
    ...loop(roundsOf(name, quick), bodies[name]),
    ...print(data, endOf(name)),
  ]);
  const code = [
    ...mov(RSI, DOM0_LAYOUT.entry + BigInt(DATA)),
    ...mov(RDI, DOM0_LAYOUT.heap),
    ...mov(RCX, BigInt(data.bytes.length)),
    ...COPY,
    ...work,
    ...STAY,
  ];
  if (code.length > DATA || data.bytes.length > PAGE - DATA)
    throw new Error('the guest does not fit its page');
  const kernel = dom0Kernel();
  const page = Number(new DataView(kernel.buffer).getBigUint64(P_OFFSET, true));
  kernel.set(code, page);
  kernel.set(data.bytes, page + DATA);
  return kernel;
};
