/** v86 starts a multiboot image through a BIOS. */
export const SEABIOS = '/usr/share/seabios/bios.bin';
