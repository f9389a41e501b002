import { randomBytes } from 'node:crypto';
import { Controller, Get, Inject, Req, Res, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { CookieOptions, Response } from 'express';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import { publicUrlOf } from '../../config/public-url.js';
import { success } from '../../common/envelope.js';
import { ApiFailures, ApiResult } from '../../common/openapi/responses.js';
import type { StationRequest } from '../../common/request-context.js';
import { Failure } from '../../contracts/failure.js';
import { Public } from '../access.decorator.js';
import { originOf } from '../audit/auditing.js';
import { RateLimit } from '../rate-limit.service.js';
import { SignedInDto } from './dto/signed-in.dto.js';
import { sendKeyPage } from './pages.js';
import { isSameText } from './same-text.js';
import { SignInPageFilter, wantsPage } from './sign-in-page.filter.js';
import { SignInService } from './sign-in.service.js';

/** Binds the answer of Patreon to the browser that was sent there. */
const STATE_COOKIE = 'docking-station-sign-in';
const STATE_MS = 10 * 60_000;

@ApiTags('auth')
@Controller('auth/patreon')
@Public()
@UseFilters(SignInPageFilter)
export class PatreonController {
  private readonly cookie: CookieOptions;

  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly signIn: SignInService,
    private readonly rateLimit: RateLimit,
  ) {
    const { protocol, pathname } = new URL(`${publicUrlOf(config)}/auth/patreon`);
    this.cookie = { httpOnly: true, sameSite: 'lax', secure: protocol === 'https:', path: pathname, maxAge: STATE_MS };
  }

  @Get()
  @ApiOperation({ summary: 'Sign in with Patreon', description: 'For a browser: leads to Patreon and back.' })
  @ApiResponse({ status: 302, description: 'To the page where Patreon asks whether the station may know who you are.' })
  @ApiFailures('PATREON_NOT_CONFIGURED')
  beginSignIn(@Res() response: Response): void {
    const state = randomBytes(32).toString('base64url');
    const url = this.signIn.authorizeUrl(state);
    response.cookie(STATE_COOKIE, state, this.cookie).redirect(302, url);
  }

  @Get('callback')
  @ApiOperation({
    summary: 'Where Patreon leads back to',
    description: 'A page with the API key, shown this once; with `Accept: application/json` the same as JSON.',
  })
  @ApiQuery({ name: 'code', required: false, type: String, description: 'Of Patreon; good for one use.' })
  @ApiQuery({ name: 'state', required: false, type: String, description: 'As it was sent to Patreon.' })
  @ApiQuery({ name: 'error', required: false, type: String, description: 'Of Patreon, in place of a code.' })
  @ApiResult(SignedInDto)
  @ApiFailures('SIGN_IN_FAILED', 'SIGN_IN_DECLINED', 'NOT_A_PATRON', 'RATE_LIMITED')
  @ApiFailures('PATREON_UNAVAILABLE', 'PATREON_NOT_CONFIGURED')
  async completeSignIn(@Req() request: StationRequest, @Res() response: Response): Promise<void> {
    await this.rateLimit.ofSignIn(request.address);
    response.clearCookie(STATE_COOKIE, { ...this.cookie, maxAge: undefined });
    const signedIn = await this.signIn.signIn(codeOf(request), originOf(request));
    if (wantsPage(request)) return sendKeyPage(response, publicUrlOf(this.config), signedIn);
    const { key, owner, plan, notice } = signedIn;
    response.json(success({ key, owner, plan: plan?.id ?? null, notice } satisfies SignedInDto));
  }
}

/** SIGN_IN_FAILED, SIGN_IN_DECLINED. */
function codeOf({ query, headers }: StationRequest): string {
  const { code, state, error } = query;
  const expected = cookieOf(headers.cookie, STATE_COOKIE);
  if (typeof state !== 'string' || expected === undefined || !isSameText(state, expected)) {
    throw new Failure(
      'SIGN_IN_FAILED',
      'This answer belongs to no sign-in that this browser has begun in the last ten minutes.',
    );
  }
  if (error !== undefined) throw new Failure('SIGN_IN_DECLINED', 'Patreon was not allowed to tell who you are.');
  if (typeof code === 'string' && code !== '' && code.length <= 1000) return code;
  throw new Failure('SIGN_IN_FAILED', 'Patreon has sent no code.');
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([found]) => found === name)?.[1];
}
