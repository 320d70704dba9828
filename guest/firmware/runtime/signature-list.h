// Lists of signatures: what PK, KEK, db and their like hold. UEFI 2.10, 32.4.1.
#pragma once
#include "efi-variable.h"
#include "pkcs7.h"

#define MAX_SIGNATURE_BYTES 0x4000u

// Whether data is a sequence of well-formed lists of known types; `single`: with exactly one signature.
bool signature_lists_are_valid(const UINT8 *data, UINT32 size, bool single);
// Copies to `to` those signatures that `known` does not hold; returns how many bytes the lists take.
UINT32 signature_lists_new(UINT8 *to, const UINT8 *data, UINT32 size, const UINT8 *known, UINT32 known_size);
// Whether a signature comes from an X.509 certificate of the lists.
bool signature_lists_trust(const UINT8 *data, UINT32 size, const Signature *signature);
