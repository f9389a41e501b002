/** Patreon does not answer, or not with what can be used: nothing is known, and nothing has changed. */
export class PatreonUnavailable extends Error {}

/** Patreon does not accept a code or a token. */
export class PatreonRefusal extends Error {
  constructor(
    readonly status: number,
    private readonly error: unknown,
  ) {
    super(`Patreon refuses: ${status}${typeof error === 'string' ? `, ${error.slice(0, 100)}` : ''}`);
  }

  /** A code or token that is refused so will never be good again. */
  get isFinal(): boolean {
    return this.error === 'invalid_grant';
  }

  /** It is the station that is refused; of a code or token this says nothing. */
  get isOfClient(): boolean {
    return this.error === 'invalid_client' || this.error === 'unauthorized_client';
  }
}
