import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../src/index.ts';
import type { EfiCommandLine } from '../src/index.ts';

const NOTHING = parseCommandLine('');
const differs = (text: string): Partial<EfiCommandLine> =>
  Object.fromEntries(
    Object.entries(parseCommandLine(text)).filter(
      ([key, value]) =>
        JSON.stringify(value) !== JSON.stringify(NOTHING[key as keyof EfiCommandLine]),
    ),
  );

describe('the command line', () => {
  it('asks for nothing by default', () => {
    expect(differs('root=/dev/sda1 quiet console=ttyS0,115200 efi= xnoefi noefix')).toEqual({});
    expect(NOTHING).toMatchObject({ storageParanoia: true, debug: false, unknown: [] });
  });

  it('knows each option', () => {
    expect(differs('noefi')).toEqual({ runtimeDisabled: true });
    expect(differs('  efi=noruntime ')).toEqual({ runtimeDisabled: true });
    expect(differs('add_efi_memmap')).toEqual({ addMemoryMap: true });
    expect(differs('efi=debug,nosoftreserve\tefi=novamap')).toEqual({
      debug: true,
      noSoftReserve: true,
      noVirtualMap: true,
    });
    expect(differs('efi_no_storage_paranoia')).toEqual({ storageParanoia: false });
    expect(differs('reboot=warm,efi')).toEqual({ rebootThroughEfi: true });
    expect(differs('reboot=warm,efifb')).toEqual({});
  });

  it('lets the last word win', () => {
    expect(differs('noefi efi=runtime')).toEqual({});
    expect(differs('efi=runtime noefi')).toEqual({ runtimeDisabled: true });
  });

  it('tells what it does not know, and leaves the stub its own', () => {
    expect(differs('efi=old_map,debug,,nochunk,disable_early_pci_dma')).toEqual({
      debug: true,
      unknown: ['old_map'],
    });
  });
});
