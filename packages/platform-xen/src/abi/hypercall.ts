/** Hypercalls and their errors by number. Xen 4.17: xen/include/public/xen.h, errno.h. */

/** Numbers of the hypercalls that EFI in a dom0 takes. */
export const HYPERCALL: {
  readonly platform_op: 7;
  readonly memory_op: 12;
  readonly update_va_mapping: 14;
  readonly xen_version: 17;
  readonly console_io: 18;
  readonly sched_op: 29;
} = Object.freeze({
  platform_op: 7,
  memory_op: 12,
  update_va_mapping: 14,
  xen_version: 17,
  console_io: 18,
  sched_op: 29,
});

/** Name of a hypercall. */
export type HypercallName = keyof typeof HYPERCALL;

/** Bytes of a stub of the hypercall page; stub n is for number n. */
export const HYPERCALL_SLOT_SIZE = 32;

const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  E2BIG: 7,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  ERANGE: 34,
  ENOSYS: 38,
  ENODATA: 61,
  EOPNOTSUPP: 95,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ERRNO).map(([name, value]) => [value, name]),
);

/** Name of an error a hypercall can give; any other is a `number` in text. */
export type XenErrno = keyof typeof ERRNO | `${number}`;

/** Errors are the last 4095 values of the return register. */
const MAX_ERRNO = 4095n;

/** The error a returned value stands for; undefined when it is none. */
export const xenErrno = (value: bigint): XenErrno | undefined => {
  const signed = BigInt.asIntN(64, value);
  if (signed >= 0n || signed < -MAX_ERRNO) return undefined;
  return (NAMES.get(Number(-signed)) ?? String(-signed)) as XenErrno;
};

/** Commands of sched_op and reasons of a shutdown (xen/include/public/sched.h). */
export const SCHEDOP_shutdown = 2;
export const SHUTDOWN: { readonly poweroff: 0; readonly reboot: 1; readonly crash: 3 } =
  Object.freeze({ poweroff: 0, reboot: 1, crash: 3 });

/** Commands of console_io. */
export const CONSOLEIO: { readonly write: 0; readonly read: 1 } = Object.freeze({
  write: 0,
  read: 1,
});

/** Commands of xen_version that the backend asks (xen/include/public/version.h). */
export const XENVER: {
  readonly version: 0;
  readonly extraversion: 1;
  readonly commandline: 9;
} = Object.freeze({ version: 0, extraversion: 1, commandline: 9 });
/** Bytes of the answers that are text. */
export const XEN_EXTRAVERSION_LEN = 16;
export const XEN_COMMANDLINE_LEN = 1024;
