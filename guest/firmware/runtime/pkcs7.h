// PKCS #7 signatures (RFC 2315) by certificates (RFC 5280) with SHA-256 and RSA.
#pragma once
#include "der.h"
#include "rsa.h"

// A certificate with the parts verification needs; all spans lie in its own bytes.
typedef struct {
  Span whole;
  // What its issuer has signed.
  Span signed_part;
  Span serial;
  Span issuer;
  Span subject;
  RsaKey key;
  // It says that it may certify others.
  bool is_authority;
  Span signature;
} Certificate;

// False for what is no X.509 certificate with an RSA key.
bool certificate_parse(Span bytes, Certificate *certificate);

// A signature over content that stands elsewhere.
typedef struct {
  Span certificates;
  Certificate signer;
} Signature;

// Parses SignedData, bare or as ContentInfo, and verifies the signature of its one signer over a SHA-256 digest.
bool pkcs7_verify(Span bytes, const UINT8 digest[SHA256_SIZE], Signature *signature);
// Whether the signer is `trusted` or has been certified by it, over other certificates of the signature if need be; those have to be
// authorities.
bool pkcs7_is_signed_by(const Signature *signature, const Certificate *trusted);
// The last certificate of the signer's chain within the signature.
Certificate pkcs7_top(const Signature *signature);
