// A browser in which any complaint of a page is a failure.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const screenshots = process.env.SCREENSHOTS;
mkdirSync(screenshots, { recursive: true });

export const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } };

export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    // Chromium's own sandbox does not start as root.
    args: process.getuid() === 0 ? ['--no-sandbox'] : [],
  });
}

/**
 * A page with JavaScript off, as the pages must work. `complaints` collects whatever the browser
 * reports: violations of the content security policy, errors on the console, dialogs, and any
 * request for something else than a document of the server itself.
 */
export async function openPage(browser, server, options = {}) {
  const context = await browser.newContext({ javaScriptEnabled: false, ...options });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => {
    const harmless = /the server responded with a status of 4(01|03|04|29)/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !harmless) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.resourceType() !== 'document' || !request.url().startsWith(server.url))
      complaints.push(`loads ${request.url()}`);
  });
  return { context, page, complaints };
}

/** Logs in with the owner's key. */
export async function logIn(page, server) {
  await page.goto(`${server.url}/login`);
  await page.getByLabel('Owner key').fill(server.ownerKey);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL(`${server.url}/dashboard`);
}

/** What of the page is wider than the window. */
export async function tooWide(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const wide = [...document.querySelectorAll('body *')].filter(
      (e) => e.getBoundingClientRect().right > width + 0.5 && !e.closest('.hidden, .skip'),
    );
    const scrolls = document.documentElement.scrollWidth > width;
    return [
      ...(scrolls ? [`the page is ${document.documentElement.scrollWidth} wide`] : []),
      ...wide.slice(0, 5).map((e) => e.outerHTML.slice(0, 100)),
    ];
  });
}

/** Things to press that a finger would miss: lower than 44 pixels, but for words within a text. */
export async function tooSmall(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('a, button, summary, textarea, select, label.choice, input:not([type=hidden])')]
      .filter((e) => !e.matches('.skip, span.row-sub a, .choice input') && e.getClientRects().length > 0)
      .filter((e) => e.getBoundingClientRect().height < 44 || e.getBoundingClientRect().width < 44)
      .map((e) => `${e.getBoundingClientRect().height}: ${e.outerHTML.slice(0, 100)}`),
  );
}

/**
 * What axe finds on a path of the server. It needs scripts, so it looks in a context of its own
 * with the same cookies; the document is the same.
 */
export async function axe(browser, context, url, options) {
  const own = await browser.newContext({
    storageState: await context.storageState(),
    bypassCSP: true,
    ...options,
  });
  try {
    const page = await own.newPage();
    await page.goto(url);
    await page.evaluate(() => document.querySelectorAll('details').forEach((e) => (e.open = true)));
    await page.evaluate(axeSource);
    const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    return found.violations.map(
      (v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`,
    );
  } finally {
    await own.close();
  }
}

export async function shoot(page, name, whole = true) {
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: whole });
}

export function assertQuiet(complaints) {
  assert.deepEqual(complaints, []);
}
