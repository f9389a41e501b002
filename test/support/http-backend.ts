import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GIT_ENVIRONMENT } from './git-repository.js';

/** Has `git http-backend` (a CGI program) answer a request for a repository below `root`. */
export function serveWithHttpBackend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(String(request.url), 'http://localhost');
  const header = (name: string) => request.headers[name]?.toString();
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...GIT_ENVIRONMENT,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: header('content-type'),
      CONTENT_LENGTH: header('content-length'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      GIT_PROTOCOL: header('git-protocol'),
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  backend.on('error', (error) => response.destroy(error));
  response.on('close', () => backend.kill('SIGKILL'));
  backend.stdin.on('error', () => undefined); // it has read enough
  request.pipe(backend.stdin);

  let head: Buffer | undefined = Buffer.alloc(0);
  backend.stdout.on('data', (chunk: Buffer) => {
    if (!head) return;
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const body = head.subarray(end + 4);
    writeHead(response, head.toString('latin1', 0, end));
    head = undefined;
    backend.stdout.removeAllListeners('data');
    response.write(body);
    backend.stdout.pipe(response);
  });
}

function writeHead(response: ServerResponse, text: string): void {
  const headers = text.split('\r\n').map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const status = headers.find(([name]) => name === 'Status');
  response.writeHead(
    status ? Number.parseInt(status[1], 10) : 200,
    Object.fromEntries(headers.filter((one) => one !== status)),
  );
}
