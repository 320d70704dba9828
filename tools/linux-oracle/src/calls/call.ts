/** A command for the guest, and what it is there to show. */
export interface ScriptedCall {
  readonly title: string;
  readonly command: string;
}

/** A call from its title and the words of its command. */
export const scripted = (title: string, ...words: readonly (string | number)[]): ScriptedCall => ({
  title,
  command: words.join(' '),
});

/** Vendor of the variables that the calls make; nobody else's. */
export const OWN_VENDOR = '6c9a5b1e-0f57-4d0c-9a53-8d5f3b9f4e21';
/** EFI_GLOBAL_VARIABLE. */
export const GLOBAL_VENDOR = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
/** EFI_IMAGE_SECURITY_DATABASE_GUID. */
export const SECURITY_VENDOR = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';

/** Attributes of a variable that keeps its value and that the operating system may use. */
export const KEPT = 7;
/** The same, authenticated by time. */
export const AUTHENTICATED = 0x27;
/** Added at the end of what is there. */
export const APPEND = 0x40;
/** The same as `KEPT`, for what is to be added at the end. */
export const APPENDED: number = KEPT | APPEND;

/** EFI_VARIABLE_AUTHENTICATION_2 of 1 January 2024 with an empty signature, as hexadecimal digits. */
export const EMPTY_SIGNATURE: string = [
  'e8070101000000000000000000000000',
  '18000000',
  '0002',
  'f10e',
  '9dd2af4adf68ee498aa9347d375665a7',
].join('');
/** EFI_SIGNATURE_LIST with one SHA-256 digest, as hexadecimal digits. */
export const DIGEST_LIST: string = [
  '2616c4c14c509240aca941f936934328',
  '4c000000',
  '00000000',
  '30000000',
  '00'.repeat(16),
  '5a'.repeat(32),
].join('');
