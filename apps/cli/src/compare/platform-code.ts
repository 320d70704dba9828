/** How much code a route needs: the modules of its package that it reaches, without comments and blank lines. */
import { existsSync, readFileSync } from 'node:fs';

const IMPORT = /(?:from|import) '(\.[^']+)'/g;

const linesOf = (text: string): number =>
  text
    .replace(/\/\*[^]*?\*\//g, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length;

/** Lines of a module and of every module of the same package that it imports. */
export const linesReachedFrom = (module: URL): number => {
  const seen = new Set<string>();
  const visit = (url: URL): number => {
    if (seen.has(url.href) || !existsSync(url)) return 0;
    seen.add(url.href);
    const text = readFileSync(url, 'utf8');
    const imported = [...text.matchAll(IMPORT)].map(([, path = '']) => new URL(path, url));
    return linesOf(text) + imported.reduce((sum, one) => sum + visit(one), 0);
  };
  return visit(module);
};
