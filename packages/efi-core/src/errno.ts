import { EfiStatus } from './status.ts';

/** The error numbers that EFI statuses become in Linux (include/uapi/asm-generic/errno*.h). */
export const Errno: Readonly<
  Record<'EINTR' | 'ENOENT' | 'EIO' | 'EACCES' | 'EINVAL' | 'ENOSPC' | 'EROFS', number>
> = Object.freeze({
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EACCES: 13,
  EINVAL: 22,
  ENOSPC: 28,
  EROFS: 30,
});

/** Name of an error number an EFI status can become. */
export type ErrnoName = keyof typeof Errno;

/** Which kernel's table to use: 2013 (3.10/3.11) had no entry for EFI_ABORTED. */
export type ErrnoEra = '2013' | 'later';

const BY_STATUS: ReadonlyMap<bigint, ErrnoName> = new Map([
  [EfiStatus.INVALID_PARAMETER, 'EINVAL'],
  [EfiStatus.OUT_OF_RESOURCES, 'ENOSPC'],
  [EfiStatus.DEVICE_ERROR, 'EIO'],
  [EfiStatus.WRITE_PROTECTED, 'EROFS'],
  [EfiStatus.SECURITY_VIOLATION, 'EACCES'],
  [EfiStatus.NOT_FOUND, 'ENOENT'],
]);

/**
 * The errno a caller of efivarfs sees for a firmware status; undefined for success. Everything the
 * kernel's table does not list becomes EINVAL, EFI_UNSUPPORTED and EFI_BUFFER_TOO_SMALL included.
 */
export const efiStatusToErrno = (
  status: EfiStatus,
  era: ErrnoEra = 'later',
): ErrnoName | undefined => {
  if (status === EfiStatus.SUCCESS) return undefined;
  if (status === EfiStatus.ABORTED && era === 'later') return 'EINTR';
  return BY_STATUS.get(status) ?? 'EINVAL';
};
