// A server of its own for a test, as a process, and the calls of an agent.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = process.env.OAUTH3_BIN;

/** Starts `oauth3 serve`; `options` are further arguments. */
export async function startServer(options = []) {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-browser-'));
  const data = join(folder, 'data');
  const keyFile = join(folder, 'owner.key');
  const child = spawn(
    program,
    ['serve', '--listen', '127.0.0.1:0', '--data-dir', data, '--owner-key-out', keyFile, ...options],
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  // A test that breaks off must not leave it behind.
  process.on('exit', () => child.kill('SIGKILL'));
  let errors = '';
  const url = await new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text) => {
      errors += text;
      const line = /listening on (http:\/\/[^\s,]+)/.exec(errors);
      if (line) resolve(line[1]);
    });
    child.on('exit', () => reject(new Error(`the server ended: ${errors}`)));
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  return {
    url,
    ownerKey: readFileSync(keyFile, 'utf8').trim(),
    socket: join(data, 'control.sock'),
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A login link, as `oauth3 login-link` gets it. */
export function loginLink(server) {
  return new Promise((resolve, reject) => {
    const call = http.request(
      { socketPath: server.socket, path: '/login-link', method: 'POST', headers: { Host: 'localhost' } },
      (reply) => {
        let body = '';
        reply.setEncoding('utf8');
        reply.on('data', (part) => (body += part));
        reply.on('end', () => resolve(JSON.parse(body).url));
      },
    );
    call.on('error', reject);
    call.end();
  });
}

async function json(server, method, path, key, body) {
  const reply = await fetch(server.url + path, {
    method,
    headers: {
      ...(key ? { Authorization: `Bearer ${key}` } : {}),
      ...(body ? { 'Content-Type': 'application/json' } : {}),
    },
    body: body ? JSON.stringify(body) : undefined,
  });
  const document = await reply.json();
  if (!reply.ok) throw new Error(`${method} ${path}: ${JSON.stringify(document)}`);
  return document;
}

/** An agent that has signed up. */
export async function signUp(server, name) {
  const { api_key: key } = await json(server, 'POST', '/signup', null, { name });
  return {
    execute: (body) => json(server, 'POST', '/execute', key, body),
    scope: (body) => json(server, 'POST', '/scope', key, body),
    status: (id) => json(server, 'GET', `/execute/${id}/status`, key),
    /** Waits for the end of a request. */
    async poll(id) {
      for (;;) {
        const now = await json(server, 'GET', `/execute/${id}/status?wait=true`, key);
        if (['completed', 'failed', 'denied'].includes(now.status)) return now;
      }
    },
  };
}

/** Decides as the owner's tools do. */
export function decide(server, id, body) {
  return json(server, 'POST', `/requests/${id}/decision`, server.ownerKey, body);
}
