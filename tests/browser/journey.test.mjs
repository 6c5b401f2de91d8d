// What a human does, with JavaScript off: log in by link and by key, approve, deny with a reason,
// revoke a session, log out.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertQuiet, logIn, openBrowser, openPage, sizes } from './browser.mjs';
import { decide, loginLink, signUp, startServer } from './server.mjs';

let server;
let browser;
let agent;

before(async () => {
  server = await startServer();
  browser = await openBrowser();
  agent = await signUp(server, 'journey agent');
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const hello = (word) => `// @skill hello\n// @description Says ${word}\nconsole.log('said ${word}')\n`;

async function withPage(size, body) {
  const { context, page, complaints } = await openPage(browser, server, { viewport: sizes[size] });
  try {
    await body(page, context);
    assertQuiet(complaints);
  } finally {
    await context.close();
  }
}

for (const size of Object.keys(sizes)) {
  test(`${size}: a login link logs in once, and only when "Continue" is pressed`, async () => {
    const link = await loginLink(server);
    await withPage(size, async (page) => {
      await page.goto(link);
      await page.goto(link);
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.waitForURL(`${server.url}/dashboard`);
      assert.match(await page.title(), /waits?\b/);
    });
    await withPage(size, async (page) => {
      await page.goto(link);
      assert.equal(await page.getByRole('button', { name: 'Continue' }).count(), 0);
      await page.getByText('This link was used already').waitFor();
      await page.goto(`${server.url}/dashboard`);
      await page.waitForURL(/\/login\?next=/);
    });
  });

  test(`${size}: the approval link leads through the log-in to an approval and to the output`, async () => {
    const asked = await agent.execute({ skill_code: hello(`once on a ${size}`) });
    await withPage(size, async (page) => {
      await page.goto(asked.approval_url);
      assert.match(await page.title(), /^Waiting: hello/);
      assert.equal(await page.getByRole('button', { name: /approve/i }).count(), 0);
      await page.getByRole('link', { name: 'Log in to decide' }).click();
      await page.getByLabel('Owner key').fill(server.ownerKey);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.waitForURL(`${server.url}/approve/${asked.request_id}`);
      // From the message that held the link: the browser is logged in now.
      await page.goto(asked.approval_url);
      await page.getByRole('radio', { name: /This run only/ }).check();
      await page.getByRole('button', { name: 'Approve' }).click();
      await page.getByRole('heading', { name: 'Approved', level: 1 }).waitFor();
      await agent.poll(asked.request_id);
      // The page comes back by itself.
      await page.locator('pre', { hasText: `said once on a ${size}` }).waitFor();
      await page.getByText('completed').first().waitFor();
      assert.equal(await page.getByRole('button', { name: 'Approve' }).count(), 0);
    });
    assert.equal((await agent.status(asked.request_id)).result.stdout, `said once on a ${size}`);
  });

  test(`${size}: a denial brings its reason to the agent`, async () => {
    const asked = await agent.execute({ skill_code: hello(`no on a ${size}`) });
    const reason = 'Not today: "ask" <tomorrow> & be nice\nsecond line';
    await withPage(size, async (page) => {
      await logIn(page, server);
      await page.getByRole('link', { name: /^Review and decide ?: hello/ }).click();
      await page.getByLabel('Reason for a denial').fill(reason);
      await page.getByRole('button', { name: 'Deny' }).click();
      await page.getByRole('heading', { name: 'Denied', level: 1 }).waitFor();
      await page.getByRole('link', { name: 'Go there now' }).click();
      await page.getByText('Not today: "ask" <tomorrow> & be nice').first().waitFor();
    });
    const end = await agent.status(asked.request_id);
    assert.equal(end.status, 'denied');
    assert.equal(end.error, reason);
  });

  test(`${size}: the dashboard decides without opening the request`, async () => {
    const asked = await agent.execute({ skill_code: hello(`quickly on a ${size}`) });
    await withPage(size, async (page) => {
      await logIn(page, server);
      await page.getByText(/^Decide without opening it/).click();
      await page.getByRole('button', { name: /^Approve this run/ }).click();
      await page.getByRole('heading', { name: 'Approved', level: 1 }).waitFor();
      await page.getByRole('link', { name: 'To the dashboard' }).click();
      await page.getByRole('heading', { name: 'Nothing waits' }).waitFor();
    });
    assert.equal((await agent.poll(asked.request_id)).status, 'completed');
  });

  test(`${size}: a scope is approved on its page only, and says what its session holds`, async () => {
    const session = `held-${size}`;
    const scope = (host) => agent.scope({ description: `Reach ${host}`, session_id: session, networks: [host] });
    await decide(server, (await scope('a.example')).request_id, { action: 'approve' });
    const asked = await scope('b.example');
    await withPage(size, async (page) => {
      await logIn(page, server);
      await page.getByText(/^Deny without opening it/).click();
      assert.equal(await page.getByRole('button', { name: /^Approve/ }).count(), 0);
      await page.getByRole('link', { name: /^Review and decide/ }).click();
      const held = page.getByRole('region', { name: 'What the session holds already' });
      await held.getByText('a.example', { exact: true }).waitFor();
      await page.getByText('and whatever the session already holds').waitFor();
      await page.getByRole('button', { name: 'Approve the scope' }).click();
      await page.getByRole('heading', { name: 'Approved', level: 1 }).waitFor();
    });
    assert.equal((await agent.status(asked.request_id)).status, 'completed');
  });

  test(`${size}: a session is narrowed and revoked`, async () => {
    const session = `s-${size}`;
    const asked = await agent.scope({
      description: 'Read issues',
      session_id: session,
      networks: ['a.example', 'b.example'],
      skill_code: hello('again'),
    });
    await decide(server, asked.request_id, { action: 'approve' });
    await withPage(size, async (page) => {
      await logIn(page, server);
      await page.getByRole('link', { name: session }).click();
      await page.getByRole('checkbox', { name: 'b.example' }).uncheck();
      await page.getByRole('button', { name: 'Narrow the session' }).click();
      await page.getByRole('checkbox', { name: 'a.example' }).waitFor();
      assert.equal(await page.getByRole('checkbox', { name: 'b.example' }).count(), 0);
      await page.getByRole('button', { name: 'Revoke the session' }).click();
      await page.waitForURL(`${server.url}/dashboard`);
      assert.equal(await page.getByRole('link', { name: session, exact: true }).count(), 0);
    });
    const again = await agent.execute({ skill_code: hello('again'), session_id: session });
    assert.equal(again.status, 'pending');
    await decide(server, again.request_id, { action: 'deny' });
  });

  test(`${size}: logging out ends it, also for a page that is still open`, async () => {
    const asked = await agent.execute({ skill_code: hello('out') });
    await withPage(size, async (page, context) => {
      await logIn(page, server);
      const stale = await context.newPage();
      await stale.goto(`${server.url}/approve/${asked.request_id}`);
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.waitForURL(`${server.url}/login`);
      await stale.getByRole('button', { name: 'Approve' }).click();
      await stale.getByRole('heading', { name: 'Not allowed' }).waitFor();
      await page.goto(`${server.url}/dashboard`);
      await page.waitForURL(/\/login\?next=/);
    });
    assert.equal((await agent.status(asked.request_id)).status, 'pending');
    await decide(server, asked.request_id, { action: 'deny' });
  });
}
