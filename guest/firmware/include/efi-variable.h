// Variable attributes and authentication descriptors. UEFI 2.10, 8.2 and 32.2.
#pragma once
#include "efi-time.h"

#define EFI_VARIABLE_NON_VOLATILE 0x01u
#define EFI_VARIABLE_BOOTSERVICE_ACCESS 0x02u
#define EFI_VARIABLE_RUNTIME_ACCESS 0x04u
#define EFI_VARIABLE_HARDWARE_ERROR_RECORD 0x08u
#define EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS 0x10u
#define EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS 0x20u
#define EFI_VARIABLE_APPEND_WRITE 0x40u
#define EFI_VARIABLE_ENHANCED_AUTHENTICATED_ACCESS 0x80u

#define WIN_CERT_REVISION 0x0200
#define WIN_CERT_TYPE_EFI_GUID 0x0ef1

typedef struct {
  UINT32 dwLength;
  UINT16 wRevision;
  UINT16 wCertificateType;
} WIN_CERTIFICATE;

typedef struct {
  WIN_CERTIFICATE Hdr;
  EFI_GUID CertType;
} WIN_CERTIFICATE_UEFI_GUID;

typedef struct {
  EFI_TIME TimeStamp;
  WIN_CERTIFICATE_UEFI_GUID AuthInfo;
} EFI_VARIABLE_AUTHENTICATION_2;

typedef struct {
  EFI_GUID SignatureType;
  UINT32 SignatureListSize;
  UINT32 SignatureHeaderSize;
  UINT32 SignatureSize;
} EFI_SIGNATURE_LIST;

#define EFI_GLOBAL_VARIABLE_GUID \
  {0x8be4df61, 0x93ca, 0x11d2, {0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}}
#define EFI_IMAGE_SECURITY_DATABASE_GUID \
  {0xd719b2cb, 0x3d3a, 0x4596, {0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f}}
#define EFI_CERT_TYPE_PKCS7_GUID \
  {0x4aafd29d, 0x68df, 0x49ee, {0x8a, 0xa9, 0x34, 0x7d, 0x37, 0x56, 0x65, 0xa7}}
