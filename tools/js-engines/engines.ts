// The engines of JavaScript that there are, and how each runs the staged suite.
import { spawn, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN, PAGE } from './stage.ts';

export interface JsEngine {
  readonly name: string;
  /** The engine's own words about its version; undefined if it is not to be had here. */
  readonly version: () => string | undefined;
  /** What brings it. */
  readonly from: string;
  /** Runs the suite in `folder`; gives its lines. */
  readonly run: (folder: string) => Promise<readonly string[]>;
}

const LIMIT_MS = 600_000;

const output = (program: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS });
    let text = '';
    let errors = '';
    child.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${program} ended with ${code}: ${errors}`)),
    );
  });

const versionOf = (program: string, args: readonly string[]): string | undefined => {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: LIMIT_MS });
  return status === 0 ? stdout.trim().split('\n').at(-1) : undefined;
};

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

/** Node.js of a major version, from the npm registry. */
const node = (major: number): JsEngine => {
  const command = ['-y', '-p', `node@${major}`, 'node'];
  return {
    name: `Node.js ${major}`,
    from: `npm package node@${major}`,
    version: () => versionOf('npx', [...command, '--version']),
    run: async (folder) => lines(await output('npx', [...command, join(folder, MAIN)])),
  };
};

const jsc: JsEngine = {
  name: 'JavaScriptCore',
  from: 'Debian package libjavascriptcoregtk-4.0-bin',
  version: () =>
    versionOf('dpkg-query', ['-W', '-f=WebKitGTK ${Version}', 'libjavascriptcoregtk-4.0-bin']),
  run: async (folder) => lines(await output('jsc', ['-m', join(folder, MAIN)])),
};

const TYPES: Readonly<Record<string, string>> = { html: 'text/html' };

/** Serves the folder to a page and waits for what it reports. */
const inPage = async (
  folder: string,
  open: (url: string) => { readonly kill: () => void },
): Promise<readonly string[]> => {
  const server = createServer();
  const report = new Promise<string>((resolve, reject) => {
    setTimeout(() => reject(new Error('the page reports nothing')), LIMIT_MS).unref();
    server.on('request', (request, response) => {
      if (request.method === 'POST') {
        let body = '';
        request.on('data', (piece: Buffer) => (body += piece.toString()));
        request.on('end', () => {
          response.end();
          resolve(body);
        });
        return;
      }
      const path = (request.url ?? '/').slice(1) || PAGE;
      readFile(join(folder, path)).then(
        (bytes) => {
          const type = TYPES[path.split('.').at(-1) ?? ''] ?? 'text/javascript';
          response.writeHead(200, { 'content-type': type }).end(bytes);
        },
        () => response.writeHead(404).end(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  try {
    return lines(await report);
  } finally {
    browser.kill();
    server.close();
    server.closeAllConnections();
  }
};

const firefox: JsEngine = {
  name: 'Firefox',
  from: 'Debian package firefox-esr',
  version: () => versionOf('firefox-esr', ['--version']),
  run: async (folder) => {
    const profile = mkdtempSync(join(tmpdir(), 'firefox-'));
    try {
      return await inPage(folder, (url) => {
        const args = ['--headless', '--no-remote', '--profile', profile, url];
        const child = spawn('firefox-esr', args, { stdio: 'ignore' });
        return { kill: () => child.kill() };
      });
    } finally {
      // The browser is still writing to its profile while it ends.
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
    }
  },
};

const OLDEST_NODE = 22;
const NEWEST_NODE = 26;

export const JS_ENGINES: readonly JsEngine[] = [
  ...Array.from({ length: NEWEST_NODE - OLDEST_NODE + 1 }, (_, i) => node(OLDEST_NODE + i)),
  jsc,
  firefox,
];
