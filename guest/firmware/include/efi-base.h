// Base types and status codes. UEFI 2.10, 2.3.1 (data types) and appendix D (status codes).
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The calling convention of UEFI: Microsoft's on x64 (2.3.4.2), cdecl on ia32 (2.3.2.2). The PE target has it by itself.
#if defined(__x86_64__) && !defined(_WIN32) && !defined(HOST_TEST)
#define EFIAPI __attribute__((ms_abi))
#else
#define EFIAPI
#endif

typedef uint8_t UINT8;
typedef uint16_t UINT16;
typedef int16_t INT16;
typedef uint32_t UINT32;
// Naturally aligned in structures also on ia32 (2.3.1), where the ELF target would put it at any multiple of 4. Packed
// structures, which a typedef's alignment survives, say uint64_t.
typedef uint64_t UINT64 __attribute__((aligned(8)));
typedef uintptr_t UINTN;
typedef intptr_t INTN;
typedef uint8_t BOOLEAN;
typedef uint16_t CHAR16;
typedef UINTN EFI_STATUS;
typedef UINTN EFI_TPL;
typedef void *EFI_HANDLE;
typedef void *EFI_EVENT;
typedef UINT64 EFI_PHYSICAL_ADDRESS;
typedef UINT64 EFI_VIRTUAL_ADDRESS;

typedef struct {
  UINT32 Data1;
  UINT16 Data2;
  UINT16 Data3;
  UINT8 Data4[8];
} EFI_GUID;

#define EFI_ERROR_BIT ((UINTN)1 << (sizeof(UINTN) * 8 - 1))
#define EFI_ERROR(status) (((status) & EFI_ERROR_BIT) != 0)
#define EFI_SUCCESS ((EFI_STATUS)0)
#define EFI_LOAD_ERROR (EFI_ERROR_BIT | 1)
#define EFI_INVALID_PARAMETER (EFI_ERROR_BIT | 2)
#define EFI_UNSUPPORTED (EFI_ERROR_BIT | 3)
#define EFI_BUFFER_TOO_SMALL (EFI_ERROR_BIT | 5)
#define EFI_NOT_READY (EFI_ERROR_BIT | 6)
#define EFI_DEVICE_ERROR (EFI_ERROR_BIT | 7)
#define EFI_WRITE_PROTECTED (EFI_ERROR_BIT | 8)
#define EFI_OUT_OF_RESOURCES (EFI_ERROR_BIT | 9)
#define EFI_NOT_FOUND (EFI_ERROR_BIT | 14)
#define EFI_ACCESS_DENIED (EFI_ERROR_BIT | 15)
#define EFI_NO_MAPPING (EFI_ERROR_BIT | 17)
#define EFI_ALREADY_STARTED (EFI_ERROR_BIT | 20)
#define EFI_INCOMPATIBLE_VERSION (EFI_ERROR_BIT | 25)
#define EFI_SECURITY_VIOLATION (EFI_ERROR_BIT | 26)
#define EFI_CRC_ERROR (EFI_ERROR_BIT | 27)

#define EFI_PAGE_SHIFT 12
#define EFI_PAGE_SIZE 4096u
#define EFI_PAGE_MASK 4095u
#define EFI_SIZE_TO_PAGES(size) (((size) >> EFI_PAGE_SHIFT) + (((size) & EFI_PAGE_MASK) != 0))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define SIGNATURE_32(a, b, c, d) ((UINT32)(a) | (UINT32)(b) << 8 | (UINT32)(c) << 16 | (UINT32)(d) << 24)
