// PE32 and PE32+ images. Microsoft PE/COFF specification, revision 11; UEFI 2.10, 2.1.1.
#pragma once
#include "efi-base.h"

#define PE_MZ 0x5a4d
#define PE_SIGNATURE 0x00004550u
#define PE_MACHINE_IA32 0x014c
#define PE_MACHINE_X64 0x8664
#define PE32_MAGIC 0x10b
#define PE32_PLUS_MAGIC 0x20b
#define PE_SUBSYSTEM_EFI_APPLICATION 10
#define PE_SUBSYSTEM_EFI_BOOT_SERVICE_DRIVER 11
#define PE_SUBSYSTEM_EFI_RUNTIME_DRIVER 12
#define PE_DIRECTORY_BASE_RELOCATION 5
#define PE_FILE_RELOCS_STRIPPED 0x0001
#define PE_SCN_MEM_EXECUTE 0x20000000u
#define PE_SCN_MEM_WRITE 0x80000000u
#define PE_LFANEW_OFFSET 0x3c

enum { PE_REL_ABSOLUTE = 0, PE_REL_HIGHLOW = 3, PE_REL_DIR64 = 10 };

typedef struct {
  UINT32 Signature;
  UINT16 Machine;
  UINT16 NumberOfSections;
  UINT32 TimeDateStamp;
  UINT32 PointerToSymbolTable;
  UINT32 NumberOfSymbols;
  UINT16 SizeOfOptionalHeader;
  UINT16 Characteristics;
} PE_FILE_HEADER;

typedef struct {
  UINT32 VirtualAddress;
  UINT32 Size;
} PE_DATA_DIRECTORY;

typedef struct {
  UINT16 Magic;
  UINT8 LinkerVersion[2];
  UINT32 SizeOfCode;
  UINT32 SizeOfInitializedData;
  UINT32 SizeOfUninitializedData;
  UINT32 AddressOfEntryPoint;
  UINT32 BaseOfCode;
#if UINTPTR_MAX == UINT64_MAX
  UINT64 ImageBase;
#else
  UINT32 BaseOfData;
  UINT32 ImageBase;
#endif
  UINT32 SectionAlignment;
  UINT32 FileAlignment;
  UINT16 Versions[6];
  UINT32 Win32VersionValue;
  UINT32 SizeOfImage;
  UINT32 SizeOfHeaders;
  UINT32 CheckSum;
  UINT16 Subsystem;
  UINT16 DllCharacteristics;
  UINTN StackAndHeap[4];
  UINT32 LoaderFlags;
  UINT32 NumberOfRvaAndSizes;
  PE_DATA_DIRECTORY DataDirectory[16];
} PE_OPTIONAL_HEADER;

#if UINTPTR_MAX == UINT64_MAX
#define PE_NATIVE_MACHINE PE_MACHINE_X64
#define PE_NATIVE_MAGIC PE32_PLUS_MAGIC
#else
#define PE_NATIVE_MACHINE PE_MACHINE_IA32
#define PE_NATIVE_MAGIC PE32_MAGIC
#endif

typedef struct {
  UINT8 Name[8];
  UINT32 VirtualSize;
  UINT32 VirtualAddress;
  UINT32 SizeOfRawData;
  UINT32 PointerToRawData;
  UINT32 PointerToRelocations;
  UINT32 PointerToLinenumbers;
  UINT16 NumberOfRelocations;
  UINT16 NumberOfLinenumbers;
  UINT32 Characteristics;
} PE_SECTION_HEADER;

typedef struct {
  UINT32 PageRva;
  UINT32 BlockSize;
} PE_RELOCATION_BLOCK;
