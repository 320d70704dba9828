export { fatVolume } from './fat-volume.ts';
export type { FatFolder } from './fat-volume.ts';
