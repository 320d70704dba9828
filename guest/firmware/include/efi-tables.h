// System table, runtime services table, boot services table, configuration tables. UEFI 2.10, 4.2 to 4.6.
#pragma once
#include "efi-capsule.h"
#include "efi-memory.h"
#include "efi-protocols.h"
#include "efi-time.h"

typedef struct {
  UINT64 Signature;
  UINT32 Revision;
  UINT32 HeaderSize;
  UINT32 CRC32;
  UINT32 Reserved;
} EFI_TABLE_HEADER;

#define EFI_SYSTEM_TABLE_SIGNATURE 0x5453595320494249ull
#define EFI_RUNTIME_SERVICES_SIGNATURE 0x56524553544e5552ull
#define EFI_BOOT_SERVICES_SIGNATURE 0x56524553544f4f42ull
// Major version in the high half; minor version times ten in the low half (4.3.1).
#define EFI_2_100_SYSTEM_TABLE_REVISION ((2u << 16) | 100u)

enum { EfiResetCold, EfiResetWarm, EfiResetShutdown, EfiResetPlatformSpecific };
#define EFI_OPTIONAL_PTR 1

typedef struct {
  EFI_TABLE_HEADER Hdr;
  EFI_STATUS(EFIAPI *GetTime)(EFI_TIME *, EFI_TIME_CAPABILITIES *);
  EFI_STATUS(EFIAPI *SetTime)(EFI_TIME *);
  EFI_STATUS(EFIAPI *GetWakeupTime)(BOOLEAN *, BOOLEAN *, EFI_TIME *);
  EFI_STATUS(EFIAPI *SetWakeupTime)(BOOLEAN, EFI_TIME *);
  EFI_STATUS(EFIAPI *SetVirtualAddressMap)(UINTN, UINTN, UINT32, EFI_MEMORY_DESCRIPTOR *);
  EFI_STATUS(EFIAPI *ConvertPointer)(UINTN, void **);
  EFI_STATUS(EFIAPI *GetVariable)(const CHAR16 *, const EFI_GUID *, UINT32 *, UINTN *, void *);
  EFI_STATUS(EFIAPI *GetNextVariableName)(UINTN *, CHAR16 *, EFI_GUID *);
  EFI_STATUS(EFIAPI *SetVariable)(const CHAR16 *, const EFI_GUID *, UINT32, UINTN, const void *);
  EFI_STATUS(EFIAPI *GetNextHighMonotonicCount)(UINT32 *);
  void(EFIAPI *ResetSystem)(UINT32, EFI_STATUS, UINTN, void *);
  EFI_STATUS(EFIAPI *UpdateCapsule)(EFI_CAPSULE_HEADER **, UINTN, EFI_PHYSICAL_ADDRESS);
  EFI_STATUS(EFIAPI *QueryCapsuleCapabilities)(EFI_CAPSULE_HEADER **, UINTN, UINT64 *, UINT32 *);
  EFI_STATUS(EFIAPI *QueryVariableInfo)(UINT32, UINT64 *, UINT64 *, UINT64 *);
} EFI_RUNTIME_SERVICES;

typedef void(EFIAPI *EFI_EVENT_NOTIFY)(EFI_EVENT, void *);

#define TPL_APPLICATION 4
#define TPL_CALLBACK 8
#define TPL_NOTIFY 16
#define TPL_HIGH_LEVEL 31

#define EVT_TIMER 0x80000000u
#define EVT_RUNTIME 0x40000000u
#define EVT_NOTIFY_WAIT 0x00000100u
#define EVT_NOTIFY_SIGNAL 0x00000200u
#define EVT_SIGNAL_EXIT_BOOT_SERVICES 0x00000201u
#define EVT_SIGNAL_VIRTUAL_ADDRESS_CHANGE 0x60000202u

enum { AllHandles, ByRegisterNotify, ByProtocol };

#define EFI_OPEN_PROTOCOL_BY_HANDLE_PROTOCOL 0x01
#define EFI_OPEN_PROTOCOL_GET_PROTOCOL 0x02
#define EFI_OPEN_PROTOCOL_TEST_PROTOCOL 0x04
#define EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER 0x08
#define EFI_OPEN_PROTOCOL_BY_DRIVER 0x10
#define EFI_OPEN_PROTOCOL_EXCLUSIVE 0x20

typedef struct {
  EFI_TABLE_HEADER Hdr;
  EFI_TPL(EFIAPI *RaiseTPL)(EFI_TPL);
  void(EFIAPI *RestoreTPL)(EFI_TPL);
  EFI_STATUS(EFIAPI *AllocatePages)(UINT32, UINT32, UINTN, EFI_PHYSICAL_ADDRESS *);
  EFI_STATUS(EFIAPI *FreePages)(EFI_PHYSICAL_ADDRESS, UINTN);
  EFI_STATUS(EFIAPI *GetMemoryMap)(UINTN *, EFI_MEMORY_DESCRIPTOR *, UINTN *, UINTN *, UINT32 *);
  EFI_STATUS(EFIAPI *AllocatePool)(UINT32, UINTN, void **);
  EFI_STATUS(EFIAPI *FreePool)(void *);
  EFI_STATUS(EFIAPI *CreateEvent)(UINT32, EFI_TPL, EFI_EVENT_NOTIFY, void *, EFI_EVENT *);
  EFI_STATUS(EFIAPI *SetTimer)(EFI_EVENT, UINT32, UINT64);
  EFI_STATUS(EFIAPI *WaitForEvent)(UINTN, EFI_EVENT *, UINTN *);
  EFI_STATUS(EFIAPI *SignalEvent)(EFI_EVENT);
  EFI_STATUS(EFIAPI *CloseEvent)(EFI_EVENT);
  EFI_STATUS(EFIAPI *CheckEvent)(EFI_EVENT);
  EFI_STATUS(EFIAPI *InstallProtocolInterface)(EFI_HANDLE *, const EFI_GUID *, UINT32, void *);
  EFI_STATUS(EFIAPI *ReinstallProtocolInterface)(EFI_HANDLE, const EFI_GUID *, void *, void *);
  EFI_STATUS(EFIAPI *UninstallProtocolInterface)(EFI_HANDLE, const EFI_GUID *, void *);
  EFI_STATUS(EFIAPI *HandleProtocol)(EFI_HANDLE, const EFI_GUID *, void **);
  void *Reserved;
  EFI_STATUS(EFIAPI *RegisterProtocolNotify)(const EFI_GUID *, EFI_EVENT, void **);
  EFI_STATUS(EFIAPI *LocateHandle)(UINT32, const EFI_GUID *, void *, UINTN *, EFI_HANDLE *);
  EFI_STATUS(EFIAPI *LocateDevicePath)(const EFI_GUID *, EFI_DEVICE_PATH_PROTOCOL **, EFI_HANDLE *);
  EFI_STATUS(EFIAPI *InstallConfigurationTable)(const EFI_GUID *, void *);
  EFI_STATUS(EFIAPI *LoadImage)
  (BOOLEAN, EFI_HANDLE, EFI_DEVICE_PATH_PROTOCOL *, void *, UINTN, EFI_HANDLE *);
  EFI_STATUS(EFIAPI *StartImage)(EFI_HANDLE, UINTN *, CHAR16 **);
  EFI_STATUS(EFIAPI *Exit)(EFI_HANDLE, EFI_STATUS, UINTN, CHAR16 *);
  EFI_STATUS(EFIAPI *UnloadImage)(EFI_HANDLE);
  EFI_STATUS(EFIAPI *ExitBootServices)(EFI_HANDLE, UINTN);
  EFI_STATUS(EFIAPI *GetNextMonotonicCount)(UINT64 *);
  EFI_STATUS(EFIAPI *Stall)(UINTN);
  EFI_STATUS(EFIAPI *SetWatchdogTimer)(UINTN, UINT64, UINTN, CHAR16 *);
  EFI_STATUS(EFIAPI *ConnectController)(EFI_HANDLE, EFI_HANDLE *, EFI_DEVICE_PATH_PROTOCOL *, BOOLEAN);
  EFI_STATUS(EFIAPI *DisconnectController)(EFI_HANDLE, EFI_HANDLE, EFI_HANDLE);
  EFI_STATUS(EFIAPI *OpenProtocol)(EFI_HANDLE, const EFI_GUID *, void **, EFI_HANDLE, EFI_HANDLE, UINT32);
  EFI_STATUS(EFIAPI *CloseProtocol)(EFI_HANDLE, const EFI_GUID *, EFI_HANDLE, EFI_HANDLE);
  EFI_STATUS(EFIAPI *OpenProtocolInformation)(EFI_HANDLE, const EFI_GUID *, void **, UINTN *);
  EFI_STATUS(EFIAPI *ProtocolsPerHandle)(EFI_HANDLE, EFI_GUID ***, UINTN *);
  EFI_STATUS(EFIAPI *LocateHandleBuffer)(UINT32, const EFI_GUID *, void *, UINTN *, EFI_HANDLE **);
  EFI_STATUS(EFIAPI *LocateProtocol)(const EFI_GUID *, void *, void **);
  EFI_STATUS(EFIAPI *InstallMultipleProtocolInterfaces)(EFI_HANDLE *, ...);
  EFI_STATUS(EFIAPI *UninstallMultipleProtocolInterfaces)(EFI_HANDLE, ...);
  EFI_STATUS(EFIAPI *CalculateCrc32)(void *, UINTN, UINT32 *);
  void(EFIAPI *CopyMem)(void *, void *, UINTN);
  void(EFIAPI *SetMem)(void *, UINTN, UINT8);
  EFI_STATUS(EFIAPI *CreateEventEx)
  (UINT32, EFI_TPL, EFI_EVENT_NOTIFY, const void *, const EFI_GUID *, EFI_EVENT *);
} EFI_BOOT_SERVICES;

typedef struct {
  EFI_GUID VendorGuid;
  void *VendorTable;
} EFI_CONFIGURATION_TABLE;

struct EFI_SYSTEM_TABLE {
  EFI_TABLE_HEADER Hdr;
  CHAR16 *FirmwareVendor;
  UINT32 FirmwareRevision;
  EFI_HANDLE ConsoleInHandle;
  void *ConIn;
  EFI_HANDLE ConsoleOutHandle;
  EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *ConOut;
  EFI_HANDLE StandardErrorHandle;
  EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *StdErr;
  EFI_RUNTIME_SERVICES *RuntimeServices;
  EFI_BOOT_SERVICES *BootServices;
  UINTN NumberOfTableEntries;
  EFI_CONFIGURATION_TABLE *ConfigurationTable;
};

// 4.6.5; one bit for each runtime service that works after ExitBootServices.
typedef struct {
  UINT16 Version;
  UINT16 Length;
  UINT32 RuntimeServicesSupported;
} EFI_RT_PROPERTIES_TABLE;
#define EFI_RT_SUPPORTED_ALL 0x3fffu

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(EFI_RUNTIME_SERVICES) == 136, "4.5.1");
_Static_assert(sizeof(EFI_BOOT_SERVICES) == 376, "4.4.1");
_Static_assert(sizeof(struct EFI_SYSTEM_TABLE) == 120, "4.3.1");
#else
_Static_assert(sizeof(EFI_RUNTIME_SERVICES) == 80, "4.5.1");
_Static_assert(sizeof(EFI_BOOT_SERVICES) == 200, "4.4.1");
_Static_assert(sizeof(struct EFI_SYSTEM_TABLE) == 72, "4.3.1");
#endif
