// Owns the explorer: the page that a browser finds at the GraphQL address, and its assets, all from the installed package altair-static.
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ANSWER_SCRIPT, ANSWER_STYLE } from './explorer-answer.ts';
import { EXPLORER_EXAMPLES, type ExplorerExample } from './explorer-examples.ts';
import { type ExplorerSignIn, SIGN_IN_CODE_HEADER } from './explorer-sign-in.ts';
import { refuseAsGraph } from './graph-refusal.ts';

interface ExplorerOptions {
  /** Path of the GraphQL endpoint; the page is served there too. */
  readonly graphqlPath: string;
  /** Path of the graphql-ws endpoint. */
  readonly wsPath: string;
  /** Absent: a person who opens the explorer has to paste an API key. */
  readonly signIn?: ExplorerSignIn;
  /** Default: the operations of `explorer-examples.ts`. */
  readonly examples?: readonly ExplorerExample[];
}

interface ExplorerPageOptions {
  readonly graphqlPath: string;
  readonly wsPath: string;
  readonly examples: readonly ExplorerExample[];
}

interface ExplorerPage {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

const KEY_VARIABLE = 'apiKey';
const KEY_PLACEHOLDER = 'paste-your-key-here';
const KEY_STORE = 'modelgraph.apiKey';
const FRONT_PATH = '/';
const SIGN_IN_PATH = '/explorer/sign-in';
const AUTHORIZATION = `Bearer {{${KEY_VARIABLE}}}`;

/** Hides the row of buttons under each event, so that a stream can be read as one text, and the joke that Altair shows while it waits. */
const STYLE = '.query-result__list-item-actions, .query-result__none { display: none }';

/** Runs in the page: exchanges the code in its address for the key, which this browser then stores. The page itself never contains a key. */
const SIGN_IN_SCRIPT = `let apiKey = localStorage.getItem('${KEY_STORE}');
const code = new URLSearchParams(location.hash.slice(1)).get('sign-in');
if (code) {
  history.replaceState(null, '', location.pathname);
  const answer = await fetch('${SIGN_IN_PATH}', { method: 'POST', headers: { '${SIGN_IN_CODE_HEADER}': code } });
  if (answer.ok) {
    apiKey = (await answer.json()).apiKey;
    localStorage.setItem('${KEY_STORE}', apiKey);
  }
}`;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
};
const COMPRESSED = new Set(['.css', '.html', '.js', '.json', '.svg', '.ttf']);

const packageFile = createRequire(import.meta.url).resolve('altair-static/package.json');
const distFolder = join(dirname(packageFile), 'build', 'dist');

/** True for a browser that asks for a page, false for a client that sends a query by GET. */
function wantsExplorer(request: FastifyRequest): boolean {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const accepts = request.headers.accept?.toLowerCase() ?? '';
  return isRead && accepts.includes('text/html') && !addressOf(request).query.has('query');
}

/**
 * Serves the page to browsers at `graphqlPath`, before other routes can answer there, and its assets below `/explorer`; redirects browsers there from
 * the front page. Called on the root instance, before the GraphQL routes are registered.
 */
export function registerExplorer(fastify: FastifyInstance, options: ExplorerOptions): void {
  const { graphqlPath, wsPath, signIn, examples = EXPLORER_EXAMPLES } = options;
  fastify.addHook('onRequest', async (request, reply) => {
    const { path } = addressOf(request);
    if ((path !== graphqlPath && path !== FRONT_PATH) || !wantsExplorer(request)) return;
    if (path === FRONT_PATH) return reply.redirect(graphqlPath);
    const page = explorerPage({ graphqlPath, wsPath, examples });
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', page.contentSecurityPolicy)
      .header('cache-control', 'no-store')
      .header('vary', 'accept')
      .header('referrer-policy', 'no-referrer')
      .header('x-content-type-options', 'nosniff')
      .send(page.html);
  });
  fastify.post(SIGN_IN_PATH, (request, reply) => {
    const apiKey = signIn?.redeem(request);
    reply.header('cache-control', 'no-store');
    if (apiKey !== undefined) return reply.send({ apiKey });
    const message = 'The sign-in link is used up, or was not opened on this machine; paste a key instead';
    return refuseAsGraph(reply, { code: 'FORBIDDEN', message });
  });
  const assets = new ExplorerAssets();
  fastify.get<{ Params: { '*': string } }>(`${assetsPath()}*`, (request, reply) =>
    assets.send(request.params['*'], request, reply),
  );
}

/** The page and its content security policy: scripts and connections of this origin only, and nothing that the page itself does not name. */
export function explorerPage(options: ExplorerPageOptions): ExplorerPage {
  const nonce = randomBytes(16).toString('base64');
  const start = `${SIGN_IN_SCRIPT}
const options = ${scriptJson(initialOptions(options))};
if (apiKey) {
  const { base, subEnvironments: [chosen] } = options.initialEnvironments;
  base.variables.${KEY_VARIABLE} = chosen.variables.${KEY_VARIABLE} = apiKey;
  chosen.title = "Key: this machine's administrator";
  // Altair prefers what it has stored to what the page gives it, so each key gets a store of its own.
  options.instanceStorageNamespace += apiKey.slice(-8) + '_';
}
AltairGraphQL.init({ ...options, cspNonce: ${scriptJson(nonce)},
  endpointURL: new URL(${scriptJson(options.graphqlPath)}, location.origin).href,
  subscriptionsEndpoint: new URL(${scriptJson(options.wsPath)}, location.origin).href.replace(/^http/, 'ws') });`;
  const html = readFileSync(join(distFolder, 'index.html'), 'utf8')
    .replace(/<title>.*<\/title>/, '<title>Modelgraph explorer</title>')
    .replace('</head>', `  <style>${STYLE}${ANSWER_STYLE}</style>\n  </head>`)
    .replace(/<base.*?>/, `<base href="${assetsPath()}">`)
    .replace(
      '</body>',
      () => `  <script type="module" nonce="${nonce}">${ANSWER_SCRIPT}\n${start}</script>\n  </body>`,
    );
  return { html, contentSecurityPolicy: policy(nonce) };
}

function addressOf({ url }: FastifyRequest): { readonly path: string; readonly query: URLSearchParams } {
  const [path = '', ...query] = url.split('?');
  return { path, query: new URLSearchParams(query.join('?')) };
}

function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    // Its component library adds style elements without a nonce.
    "style-src 'self' 'unsafe-inline'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "worker-src 'self' blob:",
    "frame-src 'self'",
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function initialOptions({ examples }: ExplorerPageOptions): Record<string, unknown> {
  const options = {
    // The last one is in front at first.
    initialWindows: examples.map(({ name, document }) => ({
      initialName: name,
      initialQuery: document,
      initialHeaders: { authorization: AUTHORIZATION },
      initialSubscriptionRequestHandlerId: 'graphql-ws',
      initialSubscriptionsPayload: { authorization: AUTHORIZATION },
    })),
    initialHeaders: { authorization: AUTHORIZATION },
    initialSubscriptionRequestHandlerId: 'graphql-ws',
    initialSubscriptionsPayload: { authorization: AUTHORIZATION },
    initialEnvironments: {
      base: { title: 'Modelgraph', variables: { [KEY_VARIABLE]: KEY_PLACEHOLDER } },
      // The name of the chosen environment is what the page shows beside the button, so it says which key is in use.
      activeSubEnvironment: 'key',
      subEnvironments: [
        { id: 'key', title: 'Key: none yet', variables: { [KEY_VARIABLE]: KEY_PLACEHOLDER } },
      ],
    },
    initialSettings: {
      'schema.reloadOnStart': true,
      'banners.disable': true,
      'alert.disableUpdateNotification': true,
      disablePushNotification: true,
    },
    disableAccount: true,
    preserveState: true,
  };
  // Altair stores tabs in the browser and prefers them to those of the page, so changed examples get a store of their own.
  const stamp = createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 12);
  return { ...options, instanceStorageNamespace: `modelgraph_${stamp}_` };
}

/** JSON that may stand within a script element. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

let versionedPath: string | undefined;

/** The path contains the package's version, so that browsers may cache everything below it for ever. */
function assetsPath(): string {
  versionedPath ??= `/explorer/${(JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version}/`;
  return versionedPath;
}

/** The package's files by name: a path from a request is looked up here and never reaches the file system. */
class ExplorerAssets {
  readonly #files = new Map(
    readdirSync(distFolder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(distFolder, path).split(sep).join('/'), path] as const),
  );
  readonly #gzipped = new Map<string, Promise<Buffer>>();

  async send(name: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const path = this.#files.get(name);
    if (path === undefined) return reply.code(404).send();
    const extension = extname(path);
    const compress = COMPRESSED.has(extension) && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    if (compress) reply.header('content-encoding', 'gzip');
    // This frame runs scripts that users write, so it must not share the gateway's origin, whatever the page asks for.
    if (name.startsWith('iframe-sandbox/')) reply.header('content-security-policy', 'sandbox allow-scripts');
    return reply
      .type(CONTENT_TYPES[extension] ?? 'application/octet-stream')
      .header('cache-control', 'public, max-age=31536000, immutable')
      .header('vary', 'accept-encoding')
      .header('x-content-type-options', 'nosniff')
      .send(await (compress ? this.#gzip(path) : readFile(path)));
  }

  #gzip(path: string): Promise<Buffer> {
    const known = this.#gzipped.get(path) ?? readFile(path).then((bytes) => promisify(gzip)(bytes));
    this.#gzipped.set(path, known);
    return known;
  }
}
