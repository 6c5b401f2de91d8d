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

/**
 * For each element of a selector that holds `text`: `text` letter by letter as it is drawn, from left
 * to right.
 */
function drawn(page, selector, text) {
  return page.evaluate(
    ([selector, text]) =>
      [...document.querySelectorAll(selector)]
        .filter((e) => e.textContent.includes(text))
        .map((element) => {
          const start = element.textContent.indexOf(text);
          const letters = [];
          let at = 0;
          const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
          for (let node = walker.nextNode(); node; node = walker.nextNode())
            for (let i = 0; i < node.length; ++i, ++at) {
              if (at < start || at >= start + text.length) continue;
              const range = document.createRange();
              range.setStart(node, i);
              range.setEnd(node, i + 1);
              letters.push([range.getBoundingClientRect().left, node.data[i]]);
            }
          return letters.sort((a, b) => a[0] - b[0]).map((l) => l[1]).join('');
        }),
    [selector, text],
  );
}

/** Takes from a page what keeps right-to-left letters from turning round what stands beside them. */
function withoutIsolation(page) {
  return page.evaluate(() =>
    document.querySelectorAll('code, pre, .code li, .diff .t').forEach((e) => (e.style.unicodeBidi = 'normal')),
  );
}

test('letters that run from right to left turn nothing round', async () => {
  const rtl = await signUp(server, 'אב');
  const program = (left, right) => `// @skill תו 1\nconst left = ${left} - ${right};\nconsole.log(left)\n`;
  const before = await rtl.execute({ skill_code: program('ב', 'א') });
  await decide(server, before.request_id, { action: 'approve' });
  await rtl.poll(before.request_id);
  const asked = await rtl.execute({ skill_code: program('א', 'ב'), args: { A: 'א - ב' } });
  const places = [
    ['.code li', 'const left = א - ב;'],
    ['.diff .add .t', 'const left = א - ב;'],
    ['.diff .del .t', 'const left = ב - א;'],
    ['.content pre', '"א - ב"'],
  ];
  await look('right-to-left', `/approve/${asked.request_id}`, async (page) => {
    for (const [where, text] of places) assert.deepEqual(await drawn(page, where, text), [text], where);
    await withoutIsolation(page);
    for (const [where, text] of places) assert.notDeepEqual(await drawn(page, where, text), [text], where);
  });
  await look('right-to-left-dashboard', '/dashboard', async (page) => {
    await page.locator('#waiting summary').first().click();
    const args = '{"A":"א - ב"}';
    assert.deepEqual(await drawn(page, '#waiting code', args), [args]);
  });
  await decide(server, asked.request_id, { action: 'deny' });
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
