/** Reads along with the guest's serial output: shell prompts, the boot manager's first line, a text that was asked for. */

/** What one byte completed. */
export interface SerialEvents {
  /** The text that was asked for. */
  readonly text: boolean;
  /** A prompt of the UEFI shell, or the start of a line of the boot manager. */
  readonly line: 'prompt' | 'boot-manager' | undefined;
}

const ESCAPE = 0x1b;
const BRACKET = 0x5b;
/** `Shell> ` before a file system is chosen, `FS0:\folder\> ` after. */
const PROMPT = /^(?:Shell|[A-Za-z]+\d*:[^ ]*)> $/;
const BOOT_MANAGER = 'BdsDxe: ';
/** Final bytes of the control sequences (ECMA-48) that move the cursor or erase: what follows is another line. */
const MOVES = new Set('ABCDEFGHJKf');

export class SerialWatch {
  /** UTF-8 bytes, one character each. */
  readonly #until: string | undefined;
  /** The last characters, as many as `until` has. */
  #tail = '';
  #line = '';
  #sequence: 'none' | 'escape' | 'control' = 'none';

  /** @param until compared with the bytes as they are, control sequences included. */
  constructor(until?: string) {
    this.#until =
      until === undefined ? undefined : String.fromCharCode(...new TextEncoder().encode(until));
  }

  take(byte: number): SerialEvents {
    const character = String.fromCharCode(byte);
    let text = false;
    if (this.#until !== undefined) {
      this.#tail = (this.#tail + character).slice(-this.#until.length);
      text = this.#tail === this.#until;
    }
    return { text, line: this.#show(byte, character) };
  }

  #show(byte: number, character: string): SerialEvents['line'] {
    if (this.#sequence === 'escape') {
      this.#sequence = byte === BRACKET ? 'control' : 'none';
    } else if (this.#sequence === 'control') {
      if (byte < 0x40 || byte > 0x7e) return undefined;
      this.#sequence = 'none';
      if (MOVES.has(character)) this.#line = '';
    } else if (byte === ESCAPE) {
      this.#sequence = 'escape';
    } else if (byte < 0x20) {
      this.#line = '';
    } else {
      this.#line += character;
      if (this.#line === BOOT_MANAGER) return 'boot-manager';
      if (PROMPT.test(this.#line)) return 'prompt';
    }
    return undefined;
  }
}
