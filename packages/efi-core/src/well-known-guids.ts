import { guid } from './guid.ts';
import type { Guid } from './guid.ts';

// Names as the specifications and edk2 spell them, EFI_ prefix and _GUID suffix included where they have one.
const TEXT = {
  // Variable name spaces.
  EFI_GLOBAL_VARIABLE: '8be4df61-93ca-11d2-aa0d-00e098032b8c',
  EFI_IMAGE_SECURITY_DATABASE_GUID: 'd719b2cb-3d3a-4596-a3bc-dad00e67656f',
  EFI_HARDWARE_ERROR_VARIABLE: '414e6bdd-e47b-47cc-b244-bb61020cf516',
  EFI_CAPSULE_REPORT_GUID: '39b68c46-f7fb-441b-b6ec-16b0f69821f3',
  SHIM_LOCK_GUID: '605dab50-e046-4300-abb6-3dd810dd8b23',
  LINUX_EFI_CRASH_GUID: 'cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0',
  LINUX_EFI_DUMMY_GUID: '4424ac57-be4b-47dd-9e97-ed50f09f92a9',
  gEfiSecureBootEnableDisableGuid: 'f0a30bc7-af08-4556-99c4-001009c93a44',
  gEfiCustomModeEnableGuid: 'c076ec0c-7028-4399-a072-71ee5c448b9f',
  gEfiVendorKeysNvGuid: '9073e4e0-60ec-4b6e-9903-4c223c260f3c',
  gEfiCertDbGuid: 'd9bee56e-75dc-49d9-b4d7-b534210f637a',
  gMtcVendorGuid: 'eb704011-1402-11d3-8e77-00a0c969723b',
  gEfiMemoryTypeInformationGuid: '4c19049f-4137-4dd3-9c10-8b97a83ffdfa',
  // Configuration tables.
  EFI_ACPI_20_TABLE_GUID: '8868e871-e4f1-11d3-bc22-0080c73c8881',
  ACPI_TABLE_GUID: 'eb9d2d30-2d88-11d3-9a16-0090273fc14d',
  SMBIOS_TABLE_GUID: 'eb9d2d31-2d88-11d3-9a16-0090273fc14d',
  SMBIOS3_TABLE_GUID: 'f2fd1544-9794-4a2c-992e-e5bbcf20e394',
  MPS_TABLE_GUID: 'eb9d2d2f-2d88-11d3-9a16-0090273fc14d',
  SAL_SYSTEM_TABLE_GUID: 'eb9d2d32-2d88-11d3-9a16-0090273fc14d',
  HCDP_TABLE_GUID: 'f951938d-620b-42ef-8279-a84b79617898',
  UGA_IO_PROTOCOL_GUID: '61a4d49e-6f68-4f1b-b922-a86eed0b07a2',
  UV_SYSTEM_TABLE_GUID: '3b13a7d4-633e-11dd-93ec-da2556d89593',
  EFI_SYSTEM_RESOURCE_TABLE_GUID: 'b122a263-3661-4f68-9929-78f8b0d62180',
  EFI_MEMORY_ATTRIBUTES_TABLE_GUID: 'dcfa911d-26eb-469f-a220-38b7dc461220',
  EFI_RT_PROPERTIES_TABLE_GUID: 'eb66918a-7eef-402a-842e-931d21c38ae9',
  EFI_TCG2_FINAL_EVENTS_TABLE_GUID: '1e2ed096-30e2-4254-bd89-863bbef82325',
  EFI_CC_FINAL_EVENTS_TABLE_GUID: 'dd4a4648-2de7-4665-964d-21d9ef5fb446',
  LINUX_EFI_RANDOM_SEED_TABLE_GUID: '1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b',
  LINUX_EFI_TPM_EVENT_LOG_GUID: 'b7799cb0-eca2-4943-9667-1fae07b747fa',
  LINUX_EFI_MEMRESERVE_TABLE_GUID: '888eb0c6-8ede-4ff5-a8f0-9aee5cb977c2',
  LINUX_EFI_INITRD_MEDIA_GUID: '5568e427-68fc-4f3d-ac74-ca555231cc68',
  LINUX_EFI_MOK_VARIABLE_TABLE_GUID: 'c451ed2b-9694-45d3-baba-ed9f8988a389',
  LINUX_EFI_COCO_SECRET_AREA_GUID: 'adf956ad-e98c-484c-ae11-b51c7d336447',
  LINUX_EFI_UNACCEPTED_MEM_TABLE_GUID: 'd5d1de3c-105c-44f9-9ea9-bcef98120031',
  LINUX_EFI_SCREEN_INFO_TABLE_GUID: 'e03fc20a-85dc-406e-b90e-4ab502371d95',
  LINUX_EFI_BOOT_MEMMAP_GUID: '800f683f-d08b-423a-a293-965c3c6fe2b4',
  OVMF_MEMORY_LOG_TABLE_GUID: '95305139-b20f-4723-8425-627c888ff121',
  DELLEMC_EFI_RCI2_TABLE_GUID: '2d9f28a2-a886-456a-97a8-f11ef24ff455',
  gLzmaCustomDecompressGuid: 'ee4e5898-3914-4259-9d6e-dc7bd79403cf',
  EFI_DXE_SERVICES_TABLE_GUID: '05ad34ba-6f02-4214-952e-4da0398e2bb9',
  EFI_HOB_LIST_GUID: '7739f24c-93d7-11d4-9a3a-0090273fc14d',
  EFI_DEBUG_IMAGE_INFO_TABLE_GUID: '49152e77-1ada-4764-b7a2-7afefed95e8b',
  gMemoryStatusCodeRecordGuid: '060cc026-4c0d-4dda-8f41-595fef00a502',
  // Protocols.
  EFI_LOADED_IMAGE_PROTOCOL_GUID: '5b1b31a1-9562-11d2-8e3f-00a0c969723b',
  // Signatures and certificates.
  EFI_CERT_SHA1_GUID: '826ca512-cf10-4ac9-b187-be01496631bd',
  EFI_CERT_SHA224_GUID: '0b6e5233-a65c-44c9-9407-d9ab83bfc8bd',
  EFI_CERT_SHA256_GUID: 'c1c41626-504c-4092-aca9-41f936934328',
  EFI_CERT_SHA384_GUID: 'ff3e5307-9fd0-48c9-85f1-8ad56c701e01',
  EFI_CERT_SHA512_GUID: '093e0fae-a6c4-4f50-9f1b-d41e2b89c19a',
  EFI_CERT_RSA2048_GUID: '3c5766e8-269c-4e34-aa14-ed776e85b3b6',
  EFI_CERT_RSA2048_SHA1_GUID: '67f8444f-8743-48f1-a328-1eaab8736080',
  EFI_CERT_RSA2048_SHA256_GUID: 'e2b36190-879b-4a3d-ad8d-f2e7bba32784',
  EFI_CERT_X509_GUID: 'a5c059a1-94e4-4aa7-87b5-ab155c2bf072',
  EFI_CERT_X509_SHA256_GUID: '3bd2a492-96c0-4079-b420-fcf98ef103ed',
  EFI_CERT_X509_SHA384_GUID: '7076876e-80c2-4ee6-aad2-28b349a6865b',
  EFI_CERT_X509_SHA512_GUID: '446dbf63-2502-4cda-bcfa-2465d2b0fe9d',
  EFI_CERT_TYPE_PKCS7_GUID: '4aafd29d-68df-49ee-8aa9-347d375665a7',
  // Signature owners met in the field.
  MICROSOFT_OWNER_GUID: '77fa9abd-0359-4d32-bd60-28f4e78f784b',
  // Capsules.
  EFI_FIRMWARE_MANAGEMENT_CAPSULE_ID_GUID: '6dcbd5ed-e82d-4c44-bda1-7194199ad92a',
  // Firmware volumes and variable stores.
  EFI_SYSTEM_NV_DATA_FV_GUID: 'fff12b8d-7696-4c8b-a985-2747075b4f50',
  EFI_AUTHENTICATED_VARIABLE_GUID: 'aaf32c78-947b-439a-a180-2e144ec37792',
  EFI_VARIABLE_GUID: 'ddcf3616-3275-4164-98b6-fe85707ffe7d',
  EDKII_WORKING_BLOCK_SIGNATURE_GUID: '9e58292b-7c68-497d-a0ce-6500fd9f1b95',
  // Device path vendor nodes with a text form of their own (UEFI 2.10, section 10.6).
  EFI_PC_ANSI_GUID: 'e0c14753-f9be-11d2-9a0c-0090273fc14d',
  EFI_VT_100_GUID: 'dfa66065-b419-11d3-9a2d-0090273fc14d',
  EFI_VT_100_PLUS_GUID: '7baec70b-57e0-4c76-8e87-2f9e28088343',
  EFI_VT_UTF8_GUID: 'ad15a0d6-8bec-4acf-a073-d01de77e2d88',
  DEVICE_PATH_MESSAGING_UART_FLOW_CONTROL: '37499a9d-542f-4c89-a026-35da142094e4',
  DEVICE_PATH_MESSAGING_SAS: 'd487ddb4-008b-11d9-afdc-001083ffca4d',
  EFI_DEBUGPORT_PROTOCOL_GUID: 'eba4e8d2-3858-41ec-a281-2647ba9660d0',
  EFI_VIRTUAL_DISK_GUID: '77ab535a-45fc-624b-5560-f7b281d1f96e',
  EFI_VIRTUAL_CD_GUID: '3d5abd30-4175-87ce-6d64-d2ade523c4bb',
  EFI_PERSISTENT_VIRTUAL_DISK_GUID: '5cea02c9-4d07-69d3-269f-4496fbe096f9',
  EFI_PERSISTENT_VIRTUAL_CD_GUID: '08018188-42cd-bb48-100f-5387d53ded3d',
} as const;

/** Name of a GUID this package knows. */
export type WellKnownGuidName = keyof typeof TEXT;

/** GUIDs by the name the defining document uses: `WellKnownGuid.EFI_GLOBAL_VARIABLE`. */
export const WellKnownGuid: Readonly<Record<WellKnownGuidName, Guid>> = Object.freeze(
  Object.fromEntries(Object.entries(TEXT).map(([name, text]) => [name, guid(text)])) as Record<
    WellKnownGuidName,
    Guid
  >,
);

const NAMES: ReadonlyMap<Guid, WellKnownGuidName> = new Map(
  (Object.keys(TEXT) as WellKnownGuidName[]).map((name) => [WellKnownGuid[name], name]),
);

/** The name of a GUID; undefined when this package does not know it. */
export const wellKnownGuidName = (value: Guid): WellKnownGuidName | undefined => NAMES.get(value);
