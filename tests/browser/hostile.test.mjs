// An agent that wants to deceive the human or to break the page: whatever it sends stays text, and
// the page stays usable.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertQuiet, axe, logIn, openBrowser, openPage, shoot, sizes, tooWide } from './browser.mjs';
import { decide, signUp, startServer } from './server.mjs';

const evil = '"><img src=x onerror=alert(1)><script>alert(2)</script><style>*{display:none}</style>';
const bidi = 'safe\u202E\u2066gnihtemos\u2069 \u200Bzero\u00AD\uFEFF';
const wide = `${'w'.repeat(60)}.`.repeat(4);

let server;
let browser;
let agent;

before(async () => {
  server = await startServer();
  browser = await openBrowser();
  agent = await signUp(server, `${evil}${bidi}`.slice(0, 64));
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Looks at the page in both sizes, as the owner, with and without JavaScript. */
async function look(name, path, check) {
  for (const [size, viewport] of Object.entries(sizes)) {
    // With JavaScript on, a script that got in would run: its alert is a complaint.
    for (const javaScriptEnabled of [false, true]) {
      const { context, page, complaints } = await openPage(browser, server, { viewport, javaScriptEnabled });
      await logIn(page, server);
      await page.goto(server.url + path);
      assert.equal(await page.locator('main script, main img, main style, main iframe, [onerror]').count(), 0);
      assert.deepEqual(await tooWide(page), []);
      if (!javaScriptEnabled) {
        await shoot(page, `hostile-${name}-${size}`, false);
        await check?.(page);
        assert.deepEqual(await axe(browser, context, server.url + path, { viewport }), []);
      }
      assertQuiet(complaints);
      await context.close();
    }
  }
}

test('markup, bidi and invisible characters are text', async () => {
  const asked = await agent.execute({
    skill_id: evil.slice(0, 100),
    skill_code: `// @description ${evil} ${bidi}\n// ${evil}\n/* ${bidi} */ console.log(${JSON.stringify(evil)})\n</li></ol></section></main>\n`,
    args: { A: evil, B: bidi, C: { [evil]: [evil] } },
  });
  await look('markup', `/approve/${asked.request_id}`, async (page) => {
    const text = await page.locator('main').innerText();
    assert.ok(text.includes('<script>alert(2)</script>'));
    assert.ok(text.includes('<U+202E>'));
    assert.ok(text.includes('<U+200B>'));
    assert.ok(!/[\u202A-\u202E\u2066-\u2069\u200B\u00AD\uFEFF]/.test(await page.content()));
    await page.getByRole('button', { name: 'Approve' }).isVisible();
  });
  await look('dashboard', '/dashboard');
  await decide(server, asked.request_id, { action: 'deny', reason: `${evil}\n${bidi}` });
  await look('denied', `/approve/${asked.request_id}`);
});

test('what a program prints is text, too', async () => {
  const asked = await agent.execute({
    skill_id: 'prints',
    skill_code: `console.log(${JSON.stringify(`${evil}\u001b[31m${bidi}`)}); throw new Error(${JSON.stringify(evil)})`,
  });
  await decide(server, asked.request_id, { action: 'approve' });
  await agent.poll(asked.request_id);
  await look('printed', `/approve/${asked.request_id}`);
});

test('long lines, long names and many of them do not break the page', async () => {
  const asked = await agent.execute({
    skill_id: 'x'.repeat(100),
    skill_code: `// @description ${'d'.repeat(500)}\n// ${'y'.repeat(20_000)}\n${' '.repeat(3_000)}evil()\n${'\n'.repeat(5_000)}last()\n`,
    args: { ['N'.repeat(64)]: 'v'.repeat(20_000) },
  });
  await look('long', `/approve/${asked.request_id}`, async (page) => {
    // Nothing can hide beyond the edge, nor far below: the run of empty lines is one line.
    await page.getByText('evil()').scrollIntoViewIfNeeded();
    await page.getByText('5,000 empty lines').waitFor();
    const box = await page.getByText('last()').boundingBox();
    assert.ok(box.x >= 0 && box.x < 390);
    await page.getByRole('button', { name: 'Deny' }).scrollIntoViewIfNeeded();
  });
  const scope = await agent.scope({
    description: 's'.repeat(2_000),
    constraints: Array.from({ length: 30 }, (_, i) => `${i}${'c'.repeat(300)}`),
    networks: [wide.slice(0, 240).replace(/\.$/, '')],
    secrets: ['S'.repeat(64)],
    session_id: 'i'.repeat(64),
  });
  await look('long-scope', `/approve/${scope.request_id}`);
  await decide(server, scope.request_id, { action: 'approve' });
  await look('long-session', `/dashboard/session/${'i'.repeat(64)}`);
  await look('long-dashboard', '/dashboard');
});
