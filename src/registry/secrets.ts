import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StationConfig } from '../config/config.js';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts what must be kept but never shown: credentials and tokens, environments of runs, answers that may hold such. */
export class Secrets {
  private constructor(private readonly key: Buffer) {}

  /** With SECRETS_KEY, else with the key in `DATA_DIR/secrets-key` (mode 600), which is made at first use. */
  static load(config: Pick<StationConfig, 'secretsKey' | 'dataDir'>): Secrets {
    if (config.secretsKey) return new Secrets(Buffer.from(config.secretsKey, 'hex'));
    const file = join(config.dataDir, 'secrets-key');
    try {
      writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    return new Secrets(Buffer.from(readFileSync(file, 'utf8').trim(), 'hex'));
  }

  seal(value: unknown): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, iv);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** null when it was sealed with another key: the secret is lost, the rest of the record is not. */
  open(text: string): unknown {
    try {
      const bytes = Buffer.from(text, 'base64');
      const decipher = createDecipheriv(ALGORITHM, this.key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      const opened = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
      return JSON.parse(opened.toString('utf8'));
    } catch {
      return null;
    }
  }
}
