// A real browser walks every page: what changes is shown without a reload, search and decisions work, nothing is logged
// as an error, nothing leaves this host, and axe finds nothing serious in light, dark and on a phone. At the desk, pictures
// of what it saw go to test/peers/screenshots, which is ignored; in the whole check nobody would look at them.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { anIndicator, LONG, pagesStage, SEEN, type Stage, TOKEN } from '../builders/pages-stage.ts';
import { describeWith, tryStart } from './available.ts';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser'];
const SHOTS = join(import.meta.dirname, 'screenshots');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LIMIT = { timeout: 30_000 };

type Look = 'light' | 'dark' | 'phone';

const started = await tryStart('Chromium', async () => {
  const executablePath = PLACES.find((one) => existsSync(one));
  if (executablePath === undefined) throw new Error(`there is none at ${PLACES.join(' or ')}`);
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
});

describeWith('the pages in a browser', started, (browser: Browser) => {
  mkdirSync(SHOTS, { recursive: true });
  const contexts: BrowserContext[] = [];
  const troubles: string[] = [];

  /** A page of its own, watched for errors and for requests that leave. */
  async function open(
    url: string,
    path: string,
    { look = 'light', script = true }: { look?: Look; script?: boolean } = {},
  ): Promise<Page> {
    const context = await browser.newContext({
      colorScheme: look === 'dark' ? 'dark' : 'light',
      viewport: look === 'phone' ? { width: 390, height: 844 } : { width: 1280, height: 900 },
      javaScriptEnabled: script,
    });
    contexts.push(context);
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        troubles.push(`console: ${message.text().slice(0, 300)}`);
    });
    page.on('pageerror', (error) => troubles.push(`script: ${error.message}`));
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin) troubles.push(`a request to ${request.url()}`);
    });
    await page.goto(url + path);
    return page;
  }

  async function signedIn(url: string, path: string, look: Look = 'light', script = true): Promise<Page> {
    const page = await open(url, `/sign-in?to=${encodeURIComponent(path)}`, { look, script });
    await page.fill('[name=token]', TOKEN);
    await page.click('button');
    await page.waitForURL(url + path, LIMIT);
    return page;
  }

  async function serious(page: Page): Promise<string[]> {
    // Straight into the page, as its policy lets no file of another's in.
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: {
          run(options: object): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
        };
      };
      // What it passed is not asked for: to write that down takes a third of its time.
      return axe.run({ resultTypes: ['violations'] });
    });
    return violations
      .filter((one) => one.impact === 'serious' || one.impact === 'critical')
      .map((one) => `${one.id}: ${one.nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  }

  const shot = async (page: Page, name: string): Promise<void> => {
    if (process.env['CI'] !== 'true') await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
  };
  /** As wide as its window: nothing makes a phone scroll sideways. */
  const overhang = (page: Page) =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  afterEach(async () => {
    for (const one of contexts.splice(0)) await one.close();
    expect(troubles.splice(0)).toEqual([]);
  });
  afterAll(() => browser.close());

  describe('of an empty installation', () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await pagesStage({ empty: true, token: false });
    });
    afterAll(() => stage.close());

    it('say what to do first, and what would stand where nothing does', async () => {
      for (const [path, text] of [
        ['/', 'Begin here'],
        ['/difference', 'No row differs'],
        ['/held', 'Nothing waits for a person'],
        ['/why', 'Type or paste a value'],
        ['/history', 'History'],
      ] as const) {
        const page = await open(stage.url, path);
        expect(await page.innerText('main')).toContain(text);
        expect(await serious(page)).toEqual([]);
        await shot(page, `empty${path.replaceAll('/', '-')}`);
      }
    });
  });

  describe('of a daemon with a partner and three SIEMs', () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await pagesStage();
      const reached = async (what: (now: Awaited<ReturnType<Stage['app']['status']>>) => boolean) =>
        vi.waitFor(async () => expect(what(await stage.app.status())).toBe(true), { timeout: 60_000, interval: 200 });
      await reached(({ siems }) => siems.every((one) => one.wanted > 100 && one.pending === 0));
      await stage.plant(3);
      await reached(({ sightings }) => sightings.held === 1);
    }, 120_000);
    afterAll(() => stage.close());

    it('show a change without a reload, and say it once and politely', async () => {
      const page = await open(stage.url, '/');
      await page.evaluate('globalThis.stays = true');
      const row = page.locator('[data-part=exchanges] tbody tr').first();
      const before = await row.innerText();
      await expect.poll(() => page.innerText('#live'), LIMIT).toContain('Live');

      await stage.publish([anIndicator('203.0.113.20')]);

      await expect.poll(() => row.innerText(), LIMIT).not.toBe(before);
      await expect.poll(() => page.innerText('#live'), LIMIT).toMatch(/Changed: .*Exchanges/);
      expect(await page.evaluate('globalThis.stays')).toBe(true);
      expect(await page.getAttribute('#live', 'role')).toBe('status');
    });

    it('find a value from any page by its key, however it was written, and show the worst of them as text', async () => {
      const page = await open(stage.url, '/');
      await page.keyboard.press('/');
      await page.keyboard.type('198.51.100[.]7');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/why\?value=/, LIMIT);
      expect(await page.innerText('main')).toContain('Beacon of <b>TheDukes</b> & "friends"');
      expect(await page.innerText('main')).toMatch(/elastic-hq\s+armed/);
      await shot(page, 'value');

      const long = await open(stage.url, `/why?value=${encodeURIComponent(LONG)}`, { look: 'phone' });
      expect(await overhang(long)).toBe(0);
      await long.click('h2 details summary');
      expect((await long.innerText('h2 details')).length).toBeGreaterThan(7_900);
      expect(await overhang(long)).toBe(0);

      const bad = await open(stage.url, '/why?value=203.0.113.9');
      expect(await bad.innerText('main')).toContain('<script>alert(1)</script>');
    });

    it('compare two moments, and tell of a value how it stood at one, also without script', async () => {
      const page = await open(stage.url, '/history', { script: false });
      await page.fill('[name=from]', '1h');
      await page.click('button:has-text("Compare")');
      await expect.poll(() => page.innerText('[data-part=compare]'), LIMIT).toMatch(/elastic-hq: \d+ armed/);
      const compared = await open(stage.url, '/history?from=1h');
      expect(await serious(compared)).toEqual([]);
      await shot(compared, 'compare');

      const value = await open(stage.url, `/why?value=${SEEN}`, { look: 'phone' });
      await value.fill('[name=at]', '0m');
      await value.click('button:has-text("armed then")');
      await expect.poll(() => value.innerText('[data-part=then]'), LIMIT).toMatch(/elastic-hq\s+armed/);
      expect(await serious(value)).toEqual([]);
      expect(await overhang(value)).toBe(0);
      await shot(value, 'then-phone');
    });

    it('let a person take a value off, and lift that again', async () => {
      const page = await signedIn(stage.url, '/why?value=203.0.113.9');
      expect(await page.innerText('[data-part=off]')).toMatch(/It leaves \d SIEMs?: /);
      const form = page.locator('form', { hasText: 'Suppress' }).first();
      await form.locator('[name=reason]').fill('our own scanner');
      await form.locator('[name=by]').fill('Ann');
      await form.locator('button').click();
      await page.waitForSelector('text=Suppressed for 24 h', LIMIT);

      await page.click('text=Look at what came of it');
      await expect
        .poll(() => page.innerText('[data-part^=stands]'), LIMIT)
        .toMatch(/suppressed until .* by Ann: our own scanner/);
      await page.locator('form', { hasText: 'Lift it' }).locator('[name=by]').fill('Ann');
      await page.locator('button', { hasText: 'Lift it' }).click();
      await page.waitForSelector('text=Lifted.', LIMIT);
    });

    it('let a person choose rows that differ, count what follows, and have it done, also without script', async () => {
      const page = await signedIn(stage.url, '/siem/qradar-hq/difference?bucket=park', 'light', false);
      await page.locator('[name=row]').nth(0).check();
      await page.locator('[name=row]').nth(1).check();
      await page.click('button:has-text("Try again")');
      await page.waitForURL(/\/difference\/chosen\?/, LIMIT);
      expect(await page.innerText('[data-part=plan]')).toContain(
        '1 parked row is tried again at the next cycle; 1 is not parked',
      );
      await page.goBack();
      await page.click('button:has-text("Suppress")');
      await page.waitForURL(/do=suppress/, LIMIT);
      expect(await page.innerText('[data-part=plan]')).toMatch(/Suppress 2 values\s+They leave \d SIEMs: /);
      await shot(page, 'chosen');
      await page.fill('[name=reason]', 'our own scanners');
      await page.fill('[name=by]', 'Ann');
      await page.click('button:has-text("Suppress 2 values")');
      await page.waitForSelector('text=Suppressed for 24 h', LIMIT);

      const live = await open(stage.url, '/siem/qradar-hq/difference?bucket=park', { look: 'phone' });
      expect(await serious(live)).toEqual([]);
      expect(await overhang(live)).toBe(0);
    });

    it('let a person decide exactly the set that is shown, also without script', async () => {
      await stage.withdraw(400);
      await expect.poll(async () => (await stage.app.status()).siems[0]?.held, LIMIT).toBeGreaterThan(300);
      const page = await signedIn(stage.url, '/held', 'light', false);
      const card = page.locator('[data-part^=hold-]', { hasText: 'elastic-hq' });
      expect(await card.innerText()).toMatch(/Worst case of a yes: these \d+ leave elastic-hq, \d+ % of what it holds/);
      await shot(page, 'decisions');
      const shown = await card.getAttribute('data-part');
      await card.locator('[name=reason]').fill('the partner meant it');
      await card.locator('[name=by]').fill('Ann');
      await card.locator('button', { hasText: 'Approve' }).click();
      await page.waitForSelector('text=exactly as it was shown', LIMIT);

      const waiting = () => stage.app.reader.held().map(({ id }) => `hold-${id}`);
      await expect.poll(waiting, LIMIT).not.toContain(shown);
    });

    it('show a sighting as it would leave, and refuse it when it is another by then', async () => {
      const page = await signedIn(stage.url, '/held');
      const card = page.locator('[data-part^=sighting-]');
      expect(JSON.parse(await card.locator('pre').innerText())).toMatchObject({ type: 'sighting', count: 3 });
      await card.locator('[name=reason]').fill('known campaign');
      await card.locator('[name=by]').fill('Ann');
      // Said once; what it says of others may follow at once.
      await page.evaluate(
        "globalThis.heard = ''; const live = document.querySelector('#live'); new MutationObserver(() => { heard += live.innerText; }).observe(live, { childList: true, characterData: true, subtree: true })",
      );
      await stage.plant(2);
      await expect.poll(() => page.evaluate('heard'), LIMIT).toContain('while you write');
      await expect.poll(async () => (await stage.app.status()).sightings.hits, LIMIT).toBe(5);
      await card.locator('button', { hasText: 'Approve' }).click();
      await page.waitForSelector('text=Nothing was done', LIMIT);
      // A refusal is an answer of its own kind, which a browser writes down as a failed load.
      expect(troubles.splice(0)).toEqual(expect.arrayContaining([expect.stringContaining('409')]));
    });

    it('are whole on fire: in light, in dark and on a phone, for eye, ear and keyboard', {
      timeout: 300_000,
    }, async () => {
      await stage.setOnFire();
      await expect
        .poll(
          async () =>
            (await stage.app.status()).siems.some((one) => one.name.startsWith('splunk') && one.state === 'failing'),
          { timeout: 60_000 },
        )
        .toBe(true);
      const paths = {
        board: '/',
        value: `/why?value=${SEEN}`,
        decisions: '/held',
        exchange: '/exchange/cert-eu',
        difference: '/difference',
        parked: '/siem/qradar-hq/difference?bucket=park',
        odd: `/siem/${encodeURIComponent('splunk..hq_-2.x')}/difference`,
        history: '/history',
        signIn: '/sign-in',
      };
      for (const look of ['light', 'dark', 'phone'] as const) {
        const page = await signedIn(stage.url, '/', look);
        for (const [name, path] of Object.entries(paths)) {
          await page.goto(stage.url + path);
          await shot(page, `${name}-${look}`);
          expect([name, look, await serious(page)]).toEqual([name, look, []]);
          expect([name, look, await overhang(page)]).toEqual([name, look, 0]);
        }
      }
      const page = await open(stage.url, '/');
      expect(await page.innerText('[data-part=attention]')).toContain('renew the token');
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
      await stage.putOut();
    });

    it('stay readable where nothing may move, and on paper', async () => {
      const page = await open(stage.url, '/');
      await page.emulateMedia({ reducedMotion: 'reduce', media: 'print' });
      expect(await page.isVisible('nav')).toBe(false);
      expect(await page.isVisible('[data-part=siems]')).toBe(true);
    });
  });
});
