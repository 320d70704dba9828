/** A program or file of the host that some test needs. */
export interface HostTool {
  /** The Debian and Ubuntu package that brings it. */
  readonly apt: string;
  /** Absolute path of a file; absent when the tool is a program looked up on PATH by its name. */
  readonly file?: string;
}

/** Name of a host tool; a program's is the one it is run by. */
export type HostToolName =
  | 'chromium'
  | 'clang'
  | 'clang-sanitizers'
  | 'ld.lld'
  | 'llvm-objcopy'
  | 'qemu-system-x86_64'
  | 'ovmf'
  | 'xen'
  | 'mcopy'
  | 'efivar'
  | 'efibootmgr';

/** Every host tool that a test may ask for. `pnpm test` installs the missing ones when it may. */
export const hostTools: Readonly<Record<HostToolName, HostTool>> = {
  chromium: { apt: 'chromium' },
  clang: { apt: 'clang' },
  // The file is that of Debian 12's clang, with which the committed guest images are built.
  'clang-sanitizers': {
    apt: 'libclang-rt-dev',
    file: '/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.asan-x86_64.a',
  },
  'ld.lld': { apt: 'lld' },
  'llvm-objcopy': { apt: 'llvm' },
  'qemu-system-x86_64': { apt: 'qemu-system-x86' },
  ovmf: { apt: 'ovmf', file: '/usr/share/OVMF/OVMF_VARS_4M.ms.fd' },
  xen: { apt: 'xen-hypervisor-4.17-amd64', file: '/boot/xen-4.17-amd64.efi' },
  mcopy: { apt: 'mtools' },
  efivar: { apt: 'efivar' },
  efibootmgr: { apt: 'efibootmgr' },
};
