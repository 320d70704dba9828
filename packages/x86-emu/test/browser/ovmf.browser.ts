// Unmodified OVMF from the reset vector to its boot manager, in a page.
import { expect, inject, test } from 'vitest';
import { bootToBds } from './boot-to-bds.ts';
import { OVMF_FILES } from './ovmf-files.ts';

const BOOT_MS = 240_000;

/** A file that the tests' server gives to pages. */
const served = async (path: string): Promise<Uint8Array> => {
  const response = await fetch(`/@fs${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
};

test('OVMF boots to BDS in a page as it does in Node.js', { timeout: BOOT_MS }, async (context) => {
  const { chromium, ovmf } = inject('missing');
  context.skip(chromium !== undefined || ovmf !== undefined, chromium ?? ovmf);
  expect('document' in globalThis).toBe(true);
  const { commands } = await import('vitest/browser');
  const [code, vars] = await Promise.all([served(OVMF_FILES.code), served(OVMF_FILES.vars)]);
  const inPage = await bootToBds(code, vars);
  expect(inPage.serial).toMatch(
    /BdsDxe: loading Boot0001 "EFI Internal Shell" from .*\r\nBdsDxe: starting$/s,
  );
  expect(inPage).toEqual(await commands.bootInNode());
});
