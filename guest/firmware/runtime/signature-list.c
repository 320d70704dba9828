#include "signature-list.h"

// Every signature begins with the GUID of its owner.
#define OWNER_SIZE 16u

static const EFI_GUID x509 = {0xa5c059a1, 0x94e4, 0x4aa7, {0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72}};

// Sizes of the other types, without the owner.
static const struct {
  EFI_GUID type;
  UINT32 size;
} known_types[] = {
    {{0xc1c41626, 0x504c, 0x4092, {0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28}}, 32},
    {{0x3c5766e8, 0x269c, 0x4e34, {0xaa, 0x14, 0xed, 0x77, 0x6e, 0x85, 0xb3, 0xb6}}, 256},
    {{0x826ca512, 0xcf10, 0x4ac9, {0xb1, 0x87, 0xbe, 0x01, 0x49, 0x66, 0x31, 0xbd}}, 20},
    {{0x0b6e5233, 0xa65c, 0x44c9, {0x94, 0x07, 0xd9, 0xab, 0x83, 0xbf, 0xc8, 0xbd}}, 28},
    {{0xff3e5307, 0x9fd0, 0x48c9, {0x85, 0xf1, 0x8a, 0xd5, 0x6c, 0x70, 0x1e, 0x01}}, 48},
    {{0x093e0fae, 0xa6c4, 0x4f50, {0x9f, 0x1b, 0xd4, 0x1e, 0x2b, 0x89, 0xc1, 0x9a}}, 64},
    {{0x3bd2a492, 0x96c0, 0x4079, {0xb4, 0x20, 0xfc, 0xf9, 0x8e, 0xf1, 0x03, 0xed}}, 48},
};

typedef struct {
  EFI_SIGNATURE_LIST header;
  const UINT8 *first;
  UINT32 count;
} List;

static bool is_known_type(const EFI_SIGNATURE_LIST *list) {
  if (same_guid(&list->SignatureType, &x509)) return list->SignatureSize > OWNER_SIZE;
  for (UINTN i = 0; i < ARRAY_LENGTH(known_types); i++)
    if (same_guid(&list->SignatureType, &known_types[i].type)) return list->SignatureSize == OWNER_SIZE + known_types[i].size;
  return false;
}

// Takes one list; false when there is none or it is not well-formed.
static bool take(const UINT8 **data, UINT32 *size, List *list) {
  if (*size < sizeof(list->header)) return false;
  memcpy(&list->header, *data, sizeof(list->header));
  const EFI_SIGNATURE_LIST *header = &list->header;
  if (header->SignatureListSize > *size || header->SignatureListSize < sizeof(*header)) return false;
  UINT32 room = header->SignatureListSize - (UINT32)sizeof(*header);
  if (header->SignatureHeaderSize != 0 || !is_known_type(header) || room == 0 || room % header->SignatureSize) return false;
  list->first = *data + sizeof(*header);
  list->count = room / header->SignatureSize;
  *data += header->SignatureListSize;
  *size -= header->SignatureListSize;
  return true;
}

static bool is_certificate(const List *list, UINT32 index, Certificate *certificate) {
  const UINT8 *signature = list->first + index * list->header.SignatureSize;
  Span bytes = {signature + OWNER_SIZE, list->header.SignatureSize - OWNER_SIZE};
  return certificate_parse(bytes, certificate);
}

bool signature_lists_are_valid(const UINT8 *data, UINT32 size, bool single) {
  List list;
  UINT32 count = 0;
  while (take(&data, &size, &list)) {
    count += list.count;
    Certificate certificate;
    for (UINT32 i = 0; same_guid(&list.header.SignatureType, &x509) && i < list.count; i++)
      if (!is_certificate(&list, i, &certificate)) return false;
  }
  return size == 0 && (!single || count == 1);
}

static bool is_held(const List *wanted, const UINT8 *signature, const UINT8 *known, UINT32 size) {
  List list;
  while (take(&known, &size, &list)) {
    if (!same_guid(&list.header.SignatureType, &wanted->header.SignatureType) ||
        list.header.SignatureSize != wanted->header.SignatureSize)
      continue;
    for (UINT32 i = 0; i < list.count; i++)
      if (memcmp(list.first + i * list.header.SignatureSize, signature, list.header.SignatureSize) == 0) return true;
  }
  return false;
}

UINT32 signature_lists_new(UINT8 *to, const UINT8 *data, UINT32 size, const UINT8 *known, UINT32 known_size) {
  List list;
  UINT32 total = 0;
  while (take(&data, &size, &list)) {
    UINT32 length = sizeof(list.header);
    for (UINT32 i = 0; i < list.count; i++) {
      const UINT8 *signature = list.first + i * list.header.SignatureSize;
      if (is_held(&list, signature, known, known_size)) continue;
      memcpy(to + total + length, signature, list.header.SignatureSize);
      length += list.header.SignatureSize;
    }
    if (length == sizeof(list.header)) continue;
    list.header.SignatureListSize = length;
    memcpy(to + total, &list.header, sizeof(list.header));
    total += length;
  }
  return total;
}

bool signature_lists_trust(const UINT8 *data, UINT32 size, const Signature *signature) {
  List list;
  while (take(&data, &size, &list)) {
    if (!same_guid(&list.header.SignatureType, &x509)) continue;
    Certificate certificate;
    for (UINT32 i = 0; i < list.count; i++)
      if (is_certificate(&list, i, &certificate) && pkcs7_is_signed_by(signature, &certificate)) return true;
  }
  return false;
}
