// What is typed at the UEFI shell on both machines, and how a recording of it looks.
import { fatVolume } from '@systab/fat-volume';

/** Typed one after the other, each at a prompt; the last one switches the machine off. */
export const SHELL_COMMANDS: readonly string[] = [
  'ver',
  'map',
  'memmap',
  'dmpstore -all',
  'pci',
  'drivers',
  'dh',
  'dmem',
  'reset -s',
];

/** A disk whose startup.nsh the shell runs. */
export const sessionDisk = (): Uint8Array =>
  fatVolume({ 'startup.nsh': '@echo -off\r\necho hello from startup.nsh\r\nls fs0:\r\n' });

/** The serial output of a session. */
export interface Recording {
  /** Version line of the machine's maker, the firmware's package, and the hashes that the recording holds for. */
  readonly qemu: string;
  readonly code: string;
  readonly vars: string;
  /** From reset to the first prompt, then what each command gave up to the next prompt: one character for each byte. */
  readonly parts: readonly string[];
}

/** The shell has printed its prompt and set the colours back. */
const PROMPT = /(?:Shell|[A-Za-z]+\d*:[^ ]*)> \u001b\[0m\u001b\[37m\u001b\[40m$/;

export const endsWithPrompt = (text: string): boolean => PROMPT.test(text.slice(-80));
