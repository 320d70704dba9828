#include "pkcs7.h"

#define MAX_CHAIN 8

static const UINT8 oid_signed_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
static const UINT8 oid_sha256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const UINT8 oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const UINT8 oid_sha256_with_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b};
static const UINT8 oid_basic_constraints[] = {0x55, 0x1d, 0x13};
static const UINT8 oid_message_digest[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04};

#define IS_OID(span, oid) ((span).size == sizeof(oid) && memcmp((span).at, oid, sizeof(oid)) == 0)

// An AlgorithmIdentifier: its object identifier.
static bool take_algorithm(Span *from, Span *oid) {
  Span algorithm;
  return der_enter(from, DER_SEQUENCE, &algorithm) && der_enter(&algorithm, DER_OBJECT_ID, oid);
}

static void skip_zeros(Span *number) {
  while (number->size && number->at[0] == 0) {
    number->at++;
    number->size--;
  }
}

static bool take_bit_string(Span *from, Span *bytes) {
  if (!der_enter(from, DER_BIT_STRING, bytes) || bytes->size == 0 || bytes->at[0] != 0) return false;
  bytes->at++;
  bytes->size--;
  return true;
}

static bool parse_key(Span info, RsaKey *key) {
  Span oid, bits, numbers, modulus, exponent;
  if (!take_algorithm(&info, &oid) || !IS_OID(oid, oid_rsa) || !take_bit_string(&info, &bits)) return false;
  if (!der_enter(&bits, DER_SEQUENCE, &numbers) || !der_enter(&numbers, DER_INTEGER, &modulus) ||
      !der_enter(&numbers, DER_INTEGER, &exponent))
    return false;
  skip_zeros(&modulus);
  skip_zeros(&exponent);
  *key = (RsaKey){modulus.at, modulus.size, exponent.at, exponent.size};
  return modulus.size != 0 && exponent.size != 0;
}

// Basic constraints among the extensions (RFC 5280, 4.2.1.9): whether they say that this is an authority.
static bool says_authority(Span fields) {
  Span extensions, list, extension, oid, value, constraints, flag;
  while (fields.size && !der_is(fields, DER_CONTEXT_3))
    if (!der_take(&fields, NULL, NULL)) return false;
  if (!der_enter(&fields, DER_CONTEXT_3, &extensions) || !der_enter(&extensions, DER_SEQUENCE, &list)) return false;
  while (der_enter(&list, DER_SEQUENCE, &extension)) {
    if (!der_enter(&extension, DER_OBJECT_ID, &oid)) return false;
    if (!IS_OID(oid, oid_basic_constraints)) continue;
    if (der_is(extension, DER_BOOLEAN) && !der_take(&extension, NULL, NULL)) return false;
    return der_enter(&extension, DER_OCTET_STRING, &value) && der_enter(&value, DER_SEQUENCE, &constraints) &&
           der_enter(&constraints, DER_BOOLEAN, &flag) && flag.size == 1 && flag.at[0] != 0;
  }
  return false;
}

// RFC 5280, 4.1.
bool certificate_parse(Span bytes, Certificate *certificate) {
  Span parts, fields, info, oid;
  if (!der_is(bytes, DER_SEQUENCE) || !der_take(&bytes, &certificate->whole, &parts)) return false;
  if (!der_is(parts, DER_SEQUENCE)) return false;
  Span signed_part = parts;
  if (!der_take(&parts, &certificate->signed_part, &fields) || signed_part.at != certificate->signed_part.at) return false;
  if (der_is(fields, DER_CONTEXT_0) && !der_take(&fields, NULL, NULL)) return false;
  if (!der_enter(&fields, DER_INTEGER, &certificate->serial) || !take_algorithm(&fields, &oid) ||
      !der_take(&fields, &certificate->issuer, NULL) || !der_take(&fields, NULL, NULL) ||
      !der_take(&fields, &certificate->subject, NULL) || !der_enter(&fields, DER_SEQUENCE, &info))
    return false;
  certificate->is_authority = says_authority(fields);
  return parse_key(info, &certificate->key) &&
         take_algorithm(&parts, &oid) && take_bit_string(&parts, &certificate->signature);
}

// Whether `issuer` has signed `certificate`, with SHA-256 and RSA.
static bool is_issued_by(const Certificate *certificate, const Certificate *issuer) {
  if (!same_span(certificate->issuer, issuer->subject)) return false;
  Span whole = certificate->whole, parts, oid;
  der_take(&whole, NULL, &parts);
  der_take(&parts, NULL, NULL);
  if (!take_algorithm(&parts, &oid) || !IS_OID(oid, oid_sha256_with_rsa)) return false;
  Sha256 hash;
  UINT8 digest[SHA256_SIZE];
  sha256_start(&hash);
  sha256_add(&hash, certificate->signed_part.at, certificate->signed_part.size);
  sha256_end(&hash, digest);
  return rsa_verify(&issuer->key, certificate->signature.at, certificate->signature.size, digest);
}

// Finds the certificate a SignerInfo names by issuer and serial number.
static bool find_signer(Span certificates, Span issuer, Span serial, Certificate *found) {
  Span bytes;
  while (der_take(&certificates, &bytes, NULL))
    if (certificate_parse(bytes, found) && same_span(found->issuer, issuer) && same_span(found->serial, serial)) return true;
  return false;
}

// The digest that was signed: of the content, or of attributes that hold it (RFC 2315, 9.3).
static bool signed_digest(Span *signer_info, const UINT8 content[SHA256_SIZE], UINT8 digest[SHA256_SIZE]) {
  Span whole, attributes, attribute, oid, values, value;
  memcpy(digest, content, SHA256_SIZE);
  if (!der_is(*signer_info, DER_CONTEXT_0)) return true;
  if (!der_take(signer_info, &whole, &attributes)) return false;
  bool found = false;
  while (der_enter(&attributes, DER_SEQUENCE, &attribute)) {
    if (!der_enter(&attribute, DER_OBJECT_ID, &oid)) return false;
    if (!IS_OID(oid, oid_message_digest)) continue;
    if (found || !der_enter(&attribute, DER_SET, &values) || !der_enter(&values, DER_OCTET_STRING, &value)) return false;
    found = value.size == SHA256_SIZE && memcmp(value.at, content, SHA256_SIZE) == 0;
    if (!found) return false;
  }
  // They are signed as the SET OF that they are, whatever tag they have here.
  static const UINT8 set = DER_SET;
  Sha256 hash;
  sha256_start(&hash);
  sha256_add(&hash, &set, 1);
  sha256_add(&hash, whole.at + 1, whole.size - 1);
  sha256_end(&hash, digest);
  return found;
}

bool pkcs7_verify(Span bytes, const UINT8 content[SHA256_SIZE], Signature *signature) {
  Span data, part, oid, signers, info, name, issuer, serial, encrypted;
  if (!der_enter(&bytes, DER_SEQUENCE, &data)) return false;
  if (der_is(data, DER_OBJECT_ID)) {
    if (!der_enter(&data, DER_OBJECT_ID, &oid) || !IS_OID(oid, oid_signed_data) ||
        !der_enter(&data, DER_CONTEXT_0, &part) || !der_enter(&part, DER_SEQUENCE, &data))
      return false;
  }
  // Version, digest algorithms, content: none of them decides anything.
  if (!der_enter(&data, DER_INTEGER, &part) || !der_enter(&data, DER_SET, &part) || !der_enter(&data, DER_SEQUENCE, &part))
    return false;
  if (!der_enter(&data, DER_CONTEXT_0, &signature->certificates)) return false;
  if (der_is(data, DER_CONTEXT_1) && !der_take(&data, NULL, NULL)) return false;
  if (!der_enter(&data, DER_SET, &signers) || !der_enter(&signers, DER_SEQUENCE, &info) || signers.size) return false;
  if (!der_enter(&info, DER_INTEGER, &part) || !der_enter(&info, DER_SEQUENCE, &name)) return false;
  if (!der_is(name, DER_SEQUENCE) || !der_take(&name, &issuer, NULL) || !der_enter(&name, DER_INTEGER, &serial)) return false;
  if (!take_algorithm(&info, &oid) || !IS_OID(oid, oid_sha256)) return false;
  if (!find_signer(signature->certificates, issuer, serial, &signature->signer)) return false;
  UINT8 digest[SHA256_SIZE];
  if (!signed_digest(&info, content, digest) || !take_algorithm(&info, &oid)) return false;
  if (!IS_OID(oid, oid_rsa) && !IS_OID(oid, oid_sha256_with_rsa)) return false;
  return der_enter(&info, DER_OCTET_STRING, &encrypted) &&
         rsa_verify(&signature->signer.key, encrypted.at, encrypted.size, digest);
}

// The certificate within the signature that has issued this one; a self-signed one has none.
static bool find_issuer(const Signature *signature, const Certificate *certificate, Certificate *issuer) {
  Span certificates = signature->certificates, bytes;
  while (der_take(&certificates, &bytes, NULL))
    if (certificate_parse(bytes, issuer) && issuer->is_authority && !same_span(issuer->whole, certificate->whole) &&
        is_issued_by(certificate, issuer))
      return true;
  return false;
}

bool pkcs7_is_signed_by(const Signature *signature, const Certificate *trusted) {
  Certificate current = signature->signer, issuer;
  for (int depth = 0; depth < MAX_CHAIN; depth++) {
    if (same_span(current.whole, trusted->whole) || is_issued_by(&current, trusted)) return true;
    if (!find_issuer(signature, &current, &issuer)) return false;
    current = issuer;
  }
  return false;
}

Certificate pkcs7_top(const Signature *signature) {
  Certificate current = signature->signer, issuer;
  for (int depth = 0; depth < MAX_CHAIN && find_issuer(signature, &current, &issuer); depth++) current = issuer;
  return current;
}
