import type { Difference } from '../difference.ts';

const VIOLATION = 'EFI_SECURITY_VIOLATION';
const STORE_FULL = 'EFI_OUT_OF_RESOURCES';

/** Where Debian 12's OVMF (edk2-stable202211) does not do what the specification asks, or does it later. */
export const OVMF_DIFFERENCES: readonly Difference[] = [
  {
    check: 'virtual mode: a map without the regions of the firmware',
    answers: { call: 'EFI_SUCCESS' },
    why: 'the map is not checked; a driver whose memory it leaves out keeps its physical pointers',
    source: 'edk2 MdeModulePkg/Core/RuntimeDxe/Runtime.c, RuntimeDriverSetVirtualAddressMap',
  },
  {
    check: 'virtual mode: a map with a region that nobody knows',
    answers: { call: 'EFI_SUCCESS' },
    why: 'the map is not compared with the memory map',
    source: 'edk2 MdeModulePkg/Core/RuntimeDxe/Runtime.c, RuntimeDriverSetVirtualAddressMap',
  },
  ...['the first year, 1900', 'the last year, 9999'].map((year) => ({
    check: `SetTime: ${year}`,
    answers: { time: 'EFI_INVALID_PARAMETER' },
    why: 'the clock is kept between 1998 and 2097',
    source: 'edk2 PcAtChipsetPkg/PcAtChipsetPkg.dec, PcdMinimalValidYear and PcdMaximalValidYear',
  })),
  {
    check:
      'variable storage: a full store keeps what it has and takes variables again after a delete',
    answers: { 'written again': STORE_FULL },
    why: 'space of deleted variables is reclaimed at the next start, never at runtime',
    source: 'edk2 MdeModulePkg/Universal/Variable/RuntimeDxe/Variable.c, UpdateVariable',
  },
  {
    check: 'QueryVariableInfo: sizes that follow what is stored',
    answers: { 'space comes back': 'no' },
    why: 'at runtime deleted variables count as used, for their space is not reclaimed',
    source:
      'edk2 MdeModulePkg/Universal/Variable/RuntimeDxe/Variable.c, VariableServiceQueryVariableInfoInternal',
  },
  {
    check: 'UpdateCapsule: PERSIST_ACROSS_RESET without a scatter gather list',
    answers: { answer: 'EFI_UNSUPPORTED' },
    why: 'the kind of a capsule is looked at before the list, and no kind is known',
    source:
      'edk2 MdeModulePkg/Universal/CapsuleRuntimeDxe/CapsuleService.c, UpdateCapsule; OvmfPkg links DxeCapsuleLibNull',
  },
  {
    check: 'signed variables: SignedData with a ContentInfo around it',
    answers: { PK: VIOLATION, mode: 'setup', own: VIOLATION },
    why: 'the digest algorithm is looked for at a fixed place of bare SignedData; KEK and db are not verified in setup mode',
    source: 'edk2 SecurityPkg/Library/AuthVariableLib/AuthService.c, VerifyTimeBasedPayload',
  },
  {
    check: 'signed variables: a database, signed by KEK',
    answers: { 'that is no list': VIOLATION },
    why: 'what fails as an update signed by PK is tried as one signed by KEK, and that failure is answered',
    source:
      'edk2 SecurityPkg/Library/AuthVariableLib/AuthVariableLib.c, AuthVariableLibProcessVariable',
  },
  {
    check: 'signed variables: a private variable belongs to who made it',
    answers: { 'by its first owner': 'EFI_SUCCESS', 'deleted by the stranger': 'EFI_NOT_FOUND' },
    why: 'whoever is physically present may delete a private variable without its signer, and OVMF says that somebody always is',
    source:
      'edk2 OvmfPkg/Library/PlatformSecureLib/PlatformSecureLib.c, UserPhysicalPresent; AuthService.c, IsDeleteAuthVariable',
  },
];
