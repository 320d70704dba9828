/** Where Debian's package `ovmf` puts the images. */
export const OVMF_FILES = {
  code: '/usr/share/OVMF/OVMF_CODE_4M.fd',
  vars: '/usr/share/OVMF/OVMF_VARS_4M.fd',
} as const;
