// `npm run pictures`: the demo as a browser shows it, into the files beside this one. flow.svg is drawn by hand.
// Needs Debian's Chromium, or another one named by CHROMIUM.
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const here = import.meta.dirname;
const root = dirname(dirname(here));
/** As a README shows it, so that its words stay readable. */
const WIDTH = 1100;
const MOST_BYTES = 150_000;

const demo = spawn(process.execPath, [join(root, 'bin/entente.mjs'), 'demo'], { stdio: ['ignore', 'pipe', 'inherit'] });
const ended = new Promise((resolve) => demo.once('exit', resolve));
const stopped = ended.then((code) => Promise.reject(new Error(`the demo ended with ${code} before it had a board`)));
stopped.catch(() => undefined);

/** What the demo tells: a value that was seen, and in its last line the address of the board. */
async function told() {
  let seen;
  for await (const line of createInterface({ input: demo.stdout })) {
    seen ??= /sees (\S+) on a host/.exec(line)?.[1];
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (url !== undefined) return { url, seen };
  }
  return stopped;
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  const { url, seen } = await Promise.race([told(), stopped]);
  const shown = [
    { name: 'board', path: '/', last: '[data-part=flow]' },
    { name: 'value', path: `/why?${new URLSearchParams({ value: seen }).toString()}`, last: '[data-part^=claims-]' },
  ];
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 700 }, colorScheme: 'light' });
  for (const { name, path, last } of shown) {
    const file = join(here, `${name}.png`);
    await page.goto(new URL(path, url).href);
    const end = await page.locator(last).last().boundingBox();
    const clip = { x: 0, y: 0, width: WIDTH, height: Math.ceil(end.y + end.height) + 16 };
    await page.screenshot({ path: file, fullPage: true, clip });
    const { size } = statSync(file);
    console.log(`${file}: ${size} bytes`);
    if (size > MOST_BYTES) throw new Error(`${file} has more than ${MOST_BYTES} bytes: show less`);
  }
} finally {
  await browser.close();
  demo.kill('SIGINT');
  await ended;
}
