// Every page, on a phone and on a desk, light and dark: nothing wider than the window, nothing too
// small for a finger, nothing that axe objects to, and a screenshot of each to look at.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertQuiet, axe, logIn, openBrowser, openPage, shoot, sizes, tooSmall, tooWide } from './browser.mjs';
import { decide, loginLink, signUp, startServer } from './server.mjs';

const program = (since) => `// @skill issue-report
// @description Writes a short report of the open issues of a repository
// @secrets GH_TOKEN
// @network api.github.com
// @timeout 45

interface Issue {
  number: number;
  title: string;
  labels: { name: string }[];
  pull_request?: unknown;
}

const repo = Deno.env.get("REPO") ?? "octo/hello";
const since = new Date(Date.now() - ${since} * 24 * 3600 * 1000).toISOString();

async function openIssues(page = 1): Promise<Issue[]> {
  const url = \`https://api.github.com/repos/\${repo}/issues?state=open&since=\${since}&page=\${page}\`;
  const reply = await fetch(url, {
    headers: { Authorization: \`Bearer \${Deno.env.get("GH_TOKEN")}\`, Accept: "application/vnd.github+json" },
  });
  if (!reply.ok) throw new Error(\`\${reply.status} \${await reply.text()}\`);
  return await reply.json();
}

const issues = (await openIssues()).filter((issue) => issue.pull_request === undefined);
for (const issue of issues)
\tconsole.log(\`#\${issue.number} \${issue.title} [\${issue.labels.map((l) => l.name).join(", ")}]\`);
`;
const plain = (text) => `// @skill greeting
// @description Says hello
console.log(${JSON.stringify(text)});
`;

let server;
let browser;
const paths = {};
let signedIn;

/** A server with one of everything. */
async function fillServer() {
  const agent = await signUp(server, 'Release assistant');
  const other = await signUp(server, 'Night watch');
  const first = await agent.execute({ skill_code: plain('hello'), session_id: 'greetings' });
  await decide(server, first.request_id, { action: 'approve', level: 'session' });
  await agent.poll(first.request_id);
  const failing = await agent.execute({
    skill_id: 'broken',
    skill_code: 'console.log("so far so good"); throw new Error("the file is empty")',
  });
  await decide(server, failing.request_id, { action: 'approve' });
  await agent.poll(failing.request_id);
  const denied = await other.execute({ skill_id: 'cleanup', skill_code: 'console.log(1)' });
  await decide(server, denied.request_id, { action: 'deny', reason: 'Not on a Friday.' });

  const earlier = await agent.execute({ skill_code: program(7), args: { REPO: 'octo/hello' } });
  await decide(server, earlier.request_id, { action: 'approve' });
  await agent.poll(earlier.request_id);
  const asked = await agent.execute({
    skill_code: program(30),
    args: { REPO: 'octo/hello', LABELS: ['bug', 'help wanted'], LIMIT: 50 },
    session_id: 'greetings',
  });
  const scope = await other.scope({
    description: 'Look after the issues of octo/hello during the night',
    constraints: ['Only GET', 'Only read issues', 'Be polite'],
    secrets: ['GH_TOKEN'],
    networks: ['api.github.com', '*.githubusercontent.com'],
    skill_code: program(1),
    session_id: 'night',
    max_timeout: 120,
  });
  const wider = await agent.scope({
    description: 'Greet on a further host',
    networks: ['hooks.example.org'],
    session_id: 'greetings',
  });
  for (let i = 0; i < 24; ++i) {
    const more = await other.execute({ skill_id: `job-${i}`, skill_code: 'console.log(1)' });
    await decide(server, more.request_id, { action: 'deny' });
  }

  const link = (reply) => reply.approval_url.slice(server.url.length);
  Object.assign(paths, {
    login: { path: '/login', open: true },
    'login-old-link': { path: `/login?once=${'A'.repeat(43)}`, open: true },
    'login-link': { path: (await loginLink(server)).slice(server.url.length), open: true },
    'approve-link': { path: link(asked), open: true },
    'approve-wrong-link': { path: `/approve/${asked.request_id}?token=${'0'.repeat(64)}`, open: true },
    'view-link': { path: link(asked).replace('/approve/', '/view/'), open: true },
    'approve-run': { path: `/approve/${asked.request_id}` },
    'approve-scope': { path: `/approve/${scope.request_id}` },
    'approve-wider': { path: `/approve/${wider.request_id}` },
    'request-completed': { path: `/approve/${first.request_id}` },
    'request-failed': { path: `/approve/${failing.request_id}` },
    'request-denied': { path: `/approve/${denied.request_id}` },
    dashboard: { path: '/dashboard' },
    session: { path: '/dashboard/session/greetings' },
    'not-found': { path: '/approve/exec_0000000000000000' },
  });
}

before(async () => {
  server = await startServer();
  browser = await openBrowser();
  await fillServer();
  const { context, page } = await openPage(browser, server);
  await logIn(page, server);
  signedIn = await context.storageState();
  await context.close();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const [size, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`${size}, ${colorScheme}: every page is whole, large enough and without fault`, async () => {
      const problems = [];
      for (const [name, { path, open }] of Object.entries(paths)) {
        const options = { viewport, colorScheme, ...(open ? {} : { storageState: signedIn }) };
        const { context, page, complaints } = await openPage(browser, server, options);
        await page.goto(server.url + path);
        await shoot(page, `${name}-${size}-${colorScheme}`);
        if (name === 'dashboard' || name === 'approve-run')
          await shoot(page, `${name}-${size}-${colorScheme}-first`, false);
        const found = [
          ...(await tooWide(page)).map((w) => `too wide: ${w}`),
          ...(await tooSmall(page)).map((s) => `too small: ${s}`),
          ...(await axe(browser, context, server.url + path, { viewport, colorScheme })),
          ...complaints,
        ];
        problems.push(...found.map((f) => `${name}: ${f}`));
        await context.close();
      }
      assert.deepEqual(problems, []);
    });
  }
}

test('the page of an insecure server says so, and its link decides', async () => {
  const insecure = await startServer(['--approval=link', '--no-auth']);
  try {
    const agent = await signUp(insecure, 'anyone');
    const asked = await agent.execute({ skill_code: plain('hello') });
    const { context, page, complaints } = await openPage(browser, insecure, { viewport: sizes.phone });
    await page.goto(asked.approval_url);
    await page.getByText('Anyone with this link, the agent too, can approve').waitFor();
    await shoot(page, 'insecure-phone-light');
    const found = await axe(browser, context, asked.approval_url, { viewport: sizes.phone });
    assert.deepEqual([...found, ...(await tooWide(page))], []);
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'Approved', level: 1 }).waitFor();
    await shoot(page, 'decided-phone-light');
    await agent.poll(asked.request_id);
    await page.locator('pre', { hasText: 'hello' }).waitFor();
    assert.match(page.url(), /token=/);
    assertQuiet(complaints);
    await context.close();
  } finally {
    await insecure.stop();
  }
});
