/**
 * What a hypervisor is told at its start, in one text as people write it: words of its own command line, and switches of its EFI
 * loader, which begin with a dash. Xen 4.17, docs/misc/xen-command-line.pandoc and docs/misc/efi.pandoc.
 */

/** The text taken apart. */
export interface HypervisorOptions {
  /** For `options=` of the configuration: `UnifiedImageParts.options`. */
  readonly options: string;
  /** Switches of the loader, for the load options of the image, behind its name: `-mapbs`. */
  readonly switches: readonly string[];
  /** Whether it will call runtime services for its domain. */
  readonly runtimeServices: boolean;
  /** Whether it leaves boot services running. */
  readonly keepsBootServices: boolean;
}

const SWITCHES: readonly string[] = ['-basevideo', '-mapbs', '-noexitboot'];
const KEEP_BOOT_SERVICES = '-noexitboot';
const TRUE = ['yes', 'on', 'true', 'enable', '1'];
const FALSE = ['no', 'off', 'false', 'disable', '0'];
/** Xen's buffer, with the zero at its end. */
const CAPACITY = 1024;

/** Items of `efi=`, and what they say about runtime services. */
const EFI_ITEMS: ReadonlyMap<string, boolean | undefined> = new Map([
  ['rs', true],
  ['no-rs', false],
  ...TRUE.map((word) => [`rs=${word}`, true] as const),
  ...FALSE.map((word) => [`rs=${word}`, false] as const),
  ['attr=uc', undefined],
  ['attr=no', undefined],
]);

/** Words that look like options and are parts of one, or written otherwise. */
const misplaced = (word: string): string | undefined => {
  if (EFI_ITEMS.has(word)) return `efi=${word}`;
  if (SWITCHES.includes(`-${word}`)) return `-${word}`;
  return undefined;
};

const readEfi = (list: string, before: boolean): boolean =>
  list.split(',').reduce((enabled, item) => {
    if (!EFI_ITEMS.has(item))
      throw new RangeError(
        `'efi=${list}': '${item}' is none of rs, no-rs, rs=<yes or no>, attr=uc, attr=no`,
      );
    return EFI_ITEMS.get(item) ?? enabled;
  }, before);

/**
 * Takes the options of a hypervisor apart. What is known to be wrong is refused; words that are not known are passed on.
 * @throws RangeError that names the word and what was expected
 */
export const parseHypervisorOptions = (text: string): HypervisorOptions => {
  if (!/^[\x20-\x7e\t]*$/.test(text)) throw new RangeError('expected one line of ASCII characters');
  if (text.length >= CAPACITY)
    throw new RangeError(`${text.length} characters, expected at most ${CAPACITY - 1}`);
  const words = text.split(/[ \t]+/).filter((word) => word !== '');
  const switches = words.filter((word) => word.startsWith('-'));
  const unknown = switches.find((word) => !SWITCHES.includes(word));
  if (unknown !== undefined)
    throw new RangeError(`'${unknown}' is no switch of the loader: ${SWITCHES.join(', ')}`);
  const options = words.filter((word) => !word.startsWith('-'));
  let runtimeServices = true;
  for (const word of options) {
    const meant = misplaced(word);
    if (meant !== undefined) throw new RangeError(`'${word}' is written ${meant}`);
    if (word.startsWith('efi=')) runtimeServices = readEfi(word.slice(4), runtimeServices);
  }
  return {
    options: options.join(' '),
    switches,
    runtimeServices,
    keepsBootServices: switches.includes(KEEP_BOOT_SERVICES),
  };
};

const contains = (image: Uint8Array, part: Uint8Array): boolean => {
  const last = image.length - part.length;
  const first = part[0] ?? 0;
  for (let at = image.indexOf(first); at >= 0 && at <= last; at = image.indexOf(first, at + 1))
    if (part.every((byte, index) => image[at + index] === byte)) return true;
  return false;
};

/** The switches that an image cannot know, for their names, in ASCII or UTF-16, are nowhere in it. */
export const switchesNotIn = (
  image: Uint8Array,
  { switches }: HypervisorOptions,
): readonly string[] =>
  switches.filter((word) => {
    const ascii = new TextEncoder().encode(word.slice(1));
    const utf16 = Uint8Array.from([...ascii].flatMap((byte) => [byte, 0]));
    return !contains(image, ascii) && !contains(image, utf16);
  });
