/** What the kernel command line says about EFI. */
export interface EfiCommandLine {
  /** `efi=debug`: dump memory maps, keep boot services memory. */
  readonly debug: boolean;
  /** `noefi`, `efi=noruntime`; `efi=runtime` after it takes it back. */
  readonly runtimeDisabled: boolean;
  /** `add_efi_memmap`: the firmware's map goes into the E820 map. */
  readonly addMemoryMap: boolean;
  /** `efi=nosoftreserve`: specific-purpose memory is ordinary memory. */
  readonly noSoftReserve: boolean;
  /** `efi=novamap`: runtime services stay at their physical addresses. */
  readonly noVirtualMap: boolean;
  /** False with `efi_no_storage_paranoia`; for the runtime half. */
  readonly storageParanoia: boolean;
  /** `reboot=efi`, or with a mode: `reboot=efi,warm`; for the runtime half. */
  readonly rebootThroughEfi: boolean;
  /** Words of `efi=` that this layer does not know, or has nothing to do for. */
  readonly unknown: readonly string[];
}

/** Options of `efi=` that only a boot stub acts on. */
const STUB_ONLY: ReadonlySet<string> = new Set([
  'nochunk',
  'disable_early_pci_dma',
  'no_disable_early_pci_dma',
]);

type Flag = Exclude<keyof EfiCommandLine, 'unknown'>;

const EFI_WORDS: ReadonlyMap<string, readonly [Flag, boolean]> = new Map([
  ['debug', ['debug', true]],
  ['noruntime', ['runtimeDisabled', true]],
  ['runtime', ['runtimeDisabled', false]],
  ['nosoftreserve', ['noSoftReserve', true]],
  ['novamap', ['noVirtualMap', true]],
]);

const WORDS: ReadonlyMap<string, readonly [Flag, boolean]> = new Map([
  ['noefi', ['runtimeDisabled', true]],
  ['add_efi_memmap', ['addMemoryMap', true]],
  ['efi_no_storage_paranoia', ['storageParanoia', false]],
]);

/** Reads a kernel command line. Words that are not about EFI are skipped; of contradicting ones the last counts. */
export const parseCommandLine = (text: string): EfiCommandLine => {
  const flags: Record<Flag, boolean> = {
    debug: false,
    runtimeDisabled: false,
    addMemoryMap: false,
    noSoftReserve: false,
    noVirtualMap: false,
    storageParanoia: true,
    rebootThroughEfi: false,
  };
  const unknown: string[] = [];
  const apply = (row: readonly [Flag, boolean] | undefined): boolean => {
    if (row === undefined) return false;
    flags[row[0]] = row[1];
    return true;
  };
  for (const word of text.split(/\s+/)) {
    if (word.startsWith('efi=')) {
      for (const option of word.slice(4).split(',')) {
        if (option !== '' && !STUB_ONLY.has(option) && !apply(EFI_WORDS.get(option))) {
          unknown.push(option);
        }
      }
    } else if (word.startsWith('reboot=')) {
      if (word.slice(7).split(',').includes('efi')) flags.rebootThroughEfi = true;
    } else apply(WORDS.get(word));
  }
  return { ...flags, unknown };
};
