/** A memory map as a picture: one bar, each region as wide as its logarithm, so that a page is still seen beside gigabytes. */
import { formatAddress, memoryDescriptorEnd, memoryTypeName, pagesToBytes } from '@systab/efi-core';
import type { MemoryDescriptor, MemoryMap } from '@systab/efi-core';
import { escape } from './page.ts';

const WIDTH = 1000;
const BAR = 34;
const TICKS = 14;
/** Where nothing is mapped. */
const GAP_COLOUR = 'transparent';

/** Colours by memory type number (UEFI 2.10, 7.2.1), of about equal lightness. */
const COLOURS = [
  '#8a8f99', // Reserved
  '#c9a227', // LoaderCode
  '#dcbf57', // LoaderData
  '#7fa7d9', // BootServicesCode
  '#a9c5ea', // BootServicesData
  '#c2527a', // RuntimeServicesCode
  '#e08aa9', // RuntimeServicesData
  '#cfe3cf', // Conventional
  '#5b5f66', // Unusable
  '#8e6fc1', // ACPIReclaim
  '#b39ddb', // ACPIMemoryNVS
  '#e07b39', // MemoryMappedIO
  '#f0a36b', // MemoryMappedIOPortSpace
  '#4aa3a2', // PalCode
  '#7bc8a4', // Persistent
] as const;

const colourOf = (type: number): string => COLOURS[type] ?? '#000';

interface Piece {
  readonly weight: number;
  readonly colour: string;
  readonly title: string;
  readonly start: bigint;
}

const weightOf = (bytes: bigint): number => Math.max(1, Math.log2(Number(bytes) / 4096 + 1));

const regionPiece = (region: MemoryDescriptor): Piece => {
  const { type, physicalStart, numberOfPages } = region;
  const range = `${formatAddress(physicalStart)}-${formatAddress(memoryDescriptorEnd(region))}`;
  return {
    weight: weightOf(pagesToBytes(numberOfPages)),
    colour: colourOf(type),
    title: `${memoryTypeName(type)} ${range}, ${String(numberOfPages)} pages`,
    start: physicalStart,
  };
};

const pieces = (map: MemoryMap): readonly Piece[] => {
  const sorted = map.descriptors.toSorted((left, right) =>
    left.physicalStart < right.physicalStart ? -1 : 1,
  );
  let end = 0n;
  return sorted.flatMap((region) => {
    const gap = region.physicalStart - end;
    const from = end;
    end = memoryDescriptorEnd(region);
    const hole: readonly Piece[] =
      gap > 0n
        ? [
            {
              weight: weightOf(gap),
              colour: GAP_COLOUR,
              title: `nothing, ${String(gap / 4096n)} pages`,
              start: from,
            },
          ]
        : [];
    return [...hole, regionPiece(region)];
  });
};

/** The picture, with a legend of the types that occur. */
export const memoryDrawing = (map: MemoryMap): string => {
  const all = pieces(map);
  const total = all.reduce((sum, { weight }) => sum + weight, 0);
  let x = 0;
  let lastTick = -100;
  const bars = all.map(({ weight, colour, title, start }) => {
    const width = (weight / total) * WIDTH;
    const at = x;
    x += width;
    const label =
      at - lastTick > 90
        ? `<text x="${at.toFixed(1)}" y="${BAR + TICKS}">${formatAddress(start)}</text>`
        : '';
    if (label !== '') lastTick = at;
    return `<rect x="${at.toFixed(1)}" y="0" width="${Math.max(width - 0.5, 0.5).toFixed(1)}" height="${BAR}" fill="${colour}"><title>${escape(title)}</title></rect>${label}`;
  });
  const types = [...new Set(map.descriptors.map(({ type }) => type))].toSorted((a, b) => a - b);
  const legend = types.map(
    (type) =>
      `<span><i style="background:${colourOf(type)}"></i>${escape(memoryTypeName(type))}</span>`,
  );
  return `<svg viewBox="0 0 ${WIDTH} ${BAR + TICKS + 4}" role="img" aria-label="memory map">${bars.join('')}</svg><div class="legend">${legend.join('')}</div>`;
};
