// Owns the Chromium that browser tests share: it is looked for on the machine and never downloaded; if it is missing, the tests say so.
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** No sandbox, since CI runs as root in a container; and none of the features that would call the network. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const executablePath = process.env.CHROMIUM_PATH ?? CANDIDATES.find((path) => existsSync(path));

const HOW_TO_INSTALL =
  'No Chromium was found. Install one ("apt-get install -y chromium" on Debian, Chrome elsewhere), or name one in CHROMIUM_PATH.';

/**
 * Why browser tests are skipped here; `undefined` where they run. With `CI=true` they always run, and fail without a browser.
 * Use: `describe.skipIf(browserMissing)(...)`, after `explainMissingBrowser()`.
 */
export const browserMissing: string | undefined =
  executablePath === undefined && process.env.CI !== 'true' ? HOW_TO_INSTALL : undefined;

/** Tells once, in the test's output, that its browser tests are skipped, and why. */
export function explainMissingBrowser(): void {
  if (browserMissing) console.warn(`Browser tests are skipped. ${browserMissing}`);
}

/** The caller closes it. */
export async function launchBrowser(): Promise<Browser> {
  if (executablePath === undefined) throw new Error(HOW_TO_INSTALL);
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}
