import { describe, expect, it } from 'vitest';
import { PageHeap } from '../src/domain/page-heap.ts';

describe('pages of the domain', () => {
  it('are handed out once and joined when they come back', () => {
    const heap = new PageHeap(8);
    expect(heap.allocate(3)).toBe(0);
    expect(heap.allocate(3)).toBe(3);
    expect(heap.allocate(3)).toBeUndefined();
    expect(heap.allocate(2)).toBe(6);
    expect(heap.allocate(1)).toBeUndefined();
    expect(heap.free(3, 3)).toBe(true);
    expect(heap.free(0, 3)).toBe(true);
    expect(heap.allocate(6)).toBe(0);
  });

  it('are not taken back twice, in part, or from elsewhere', () => {
    const heap = new PageHeap(8);
    expect(heap.allocate(4)).toBe(0);
    expect(heap.free(6, 1)).toBe(false);
    expect(heap.free(2, 3)).toBe(false);
    expect(heap.free(-1, 1)).toBe(false);
    expect(heap.free(0, 0)).toBe(false);
    expect(heap.free(7, 2)).toBe(false);
    expect(heap.free(0, 4)).toBe(true);
    expect(heap.free(0, 4)).toBe(false);
    expect(heap.allocate(0)).toBeUndefined();
    expect(heap.allocate(8)).toBe(0);
  });
});
