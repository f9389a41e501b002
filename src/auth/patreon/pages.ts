import { randomBytes } from 'node:crypto';
import type { Response } from 'express';
import { QUOTA_NAMES, type Quotas } from '../plans/plan.js';
import type { SignedIn } from './sign-in.service.js';

/** Answers with the key, shown this once. */
export function sendKeyPage(response: Response, publicUrl: string, { key, name, plan, notice }: SignedIn): void {
  const rows = plan
    ? (Object.keys(plan.quotas) as (keyof Quotas)[]).map((quota) => row(quota, plan.quotas[quota]))
    : [];
  sendPage(response, 200, {
    title: 'Your API key',
    body: `
      <p>${name ? `Welcome, ${escaped(name)}. ` : ''}This key is shown this once: keep it. Signing in again gives you another one and ends this.</p>
      <p class="key"><code id="key">${escaped(key)}</code> <button id="copy" type="button">Copy</button></p>
      ${notice ? `<p class="notice">${linked(notice.message)}</p>` : ''}
      ${plan ? `<h2>Plan: ${escaped(plan.name)}</h2><p>It allows: ${plan.permissions.join(', ')}.</p><table>${rows.join('')}</table>` : ''}
      <p>Send it with every request: <code>Authorization: Bearer &lt;key&gt;</code>. <a href="${escaped(publicUrl)}/docs">Documentation</a></p>`,
    script: `document.getElementById('copy').addEventListener('click', async ({ target }) => {
      const key = document.getElementById('key');
      if (navigator.clipboard) await navigator.clipboard.writeText(key.textContent);
      else {
        getSelection().selectAllChildren(key); // over plain http there is no clipboard
        document.execCommand('copy');
      }
      target.textContent = 'Copied';
    });`,
  });
}

interface Told {
  status: number;
  title: string;
  message: string;
  suggestion: string;
}

/** Answers with what went wrong, and what to do about it. */
export function sendFailurePage(
  response: Response,
  publicUrl: string,
  { status, title, message, suggestion }: Told,
): void {
  sendPage(response, status, {
    title,
    body: `<p>${escaped(message)}</p><p>${linked(suggestion)}</p><p><a href="${escaped(publicUrl)}/auth/patreon">Sign in again</a></p>`,
  });
}

interface Page {
  title: string;
  /** HTML. */
  body: string;
  script?: string;
}

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1rem; color: #1c1e21; background: #fff; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  code { background: #f1f3f5; padding: .15rem .35rem; border-radius: 4px; overflow-wrap: anywhere; }
  .key { display: flex; gap: .75rem; align-items: center; } .key code { padding: .6rem .8rem; }
  .notice { background: #fff4d6; border-left: 4px solid #e0a800; padding: .6rem .9rem; }
  button { font: inherit; padding: .4rem .9rem; border: 1px solid #868e96; border-radius: 4px; background: #fff; cursor: pointer; }
  td { padding: .15rem 1.5rem .15rem 0; } td:last-child { font-variant-numeric: tabular-nums; }
  @media (prefers-color-scheme: dark) {
    body { color: #e9ecef; background: #16181b; } code, button { background: #2b2f34; color: inherit; } a { color: #74c0fc; }
    .notice { background: #3a3016; }
  }`;

function sendPage(response: Response, status: number, { title, body, script }: Page): void {
  const nonce = randomBytes(16).toString('base64');
  const policy = [
    `default-src 'none'`,
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ];
  response.setHeader('Content-Security-Policy', policy.join('; '));
  response.status(status).type('html').send(`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escaped(title)} · Docking Station</title>
    <style nonce="${nonce}">${STYLE}</style>
  </head>
  <body>
    <main>
      <h1>${escaped(title)}</h1>
      ${body}
    </main>
    ${script ? `<script nonce="${nonce}">${script}</script>` : ''}
  </body>
</html>
`);
}

const row = (quota: keyof Quotas, limit: number | null): string =>
  `<tr><td>${QUOTA_NAMES[quota]}</td><td>${limit ?? 'no limit'}</td></tr>`;

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const linked = (text: string): string =>
  escaped(text).replace(/https?:\/\/[^\s)<]+?(?=[.,]?(?:[\s)]|$))/g, (url) => `<a href="${url}">${url}</a>`);
