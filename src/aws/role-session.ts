import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  STSClient,
  STSServiceException,
} from "@aws-sdk/client-sts";
import { AppError } from "../errors.ts";
import type { TeamAccount } from "./team-account.ts";

/** Credentials of a session, as clients of the AWS SDK take them. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

export interface RoleSessionRequest {
  readonly roleArn: string;
  /** Whose the session has to be. */
  readonly accountId: string;
  readonly region: string;
  /** What CloudTrail calls whoever uses the session: at most 64 of [A-Za-z0-9_+=,.@-]. */
  readonly name: string;
  readonly externalId?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** A session policy: what the session can do at most, whatever the role may. */
  readonly policy: string;
}

/** Credentials of a session that stays the same one for its users, however often it is renewed. */
export type CredentialSource = () => Promise<SessionCredentials>;

// A role that was assumed from another role, as the service's own mostly is, gives no longer session: AWS calls it role chaining.
const sessionSeconds = 3_600;
// The SDKs ask again five minutes before the end; what they get then must last longer than that.
const renewBeforeMs = 15 * 60_000;

/**
 * A session of a role, assumed with the service's own identity when it is first asked for, and again before it ends. Every session is
 * proved to be the role's and in its account before anybody gets it. Throws `account_refused` where AWS refuses it or it is
 * another one, `unavailable` where AWS can't be asked; while the session lasts, a failed renewal is nobody's problem.
 */
export function roleSession(
  request: RoleSessionRequest,
  now: () => Date = () => new Date(),
): CredentialSource {
  let current: SessionCredentials | undefined;
  let renewal: Promise<SessionCredentials> | undefined;
  const leftMs = () => (current === undefined ? 0 : current.expiration.getTime() - now().getTime());
  const renew = async () => {
    try {
      current = await assume(request);
    } catch (error) {
      if (current === undefined || leftMs() <= 0) throw error;
    } finally {
      renewal = undefined;
    }
    return current;
  };
  return async () => {
    if (current !== undefined && leftMs() > renewBeforeMs) return current;
    renewal ??= renew();
    return renewal;
  };
}

/**
 * A session of the role of a team's account, as `roleSession` gives it; throws `account_refused` at once where the account has none.
 */
export function teamSession(
  { name: accountName, aws, externalId }: TeamAccount,
  request: Pick<RoleSessionRequest, "name" | "tags" | "policy">,
): CredentialSource {
  const { accountId, region, roleArn } = aws;
  if (roleArn === undefined) {
    throw new AppError(
      "account_refused",
      `Account "${accountName}" has no role for the service to assume: register it again with roleArn, see docs/production.md`,
    );
  }
  return roleSession({ ...request, roleArn, accountId, region, externalId });
}

async function assume(request: RoleSessionRequest): Promise<SessionCredentials> {
  const { roleArn, region, name, externalId, tags = {}, policy } = request;
  const own = new STSClient({ region });
  try {
    const { Credentials: given } = await own.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: name,
        DurationSeconds: sessionSeconds,
        Policy: policy,
        ...(externalId === undefined ? {} : { ExternalId: externalId }),
        ...(Object.keys(tags).length === 0
          ? {}
          : { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }),
      }),
    );
    if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken || !given.Expiration) {
      throw new Error("STS answered without credentials");
    }
    const credentials = {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      sessionToken: given.SessionToken,
      expiration: given.Expiration,
    };
    await verify(request, credentials);
    return credentials;
  } catch (error) {
    throw error instanceof AppError ? error : refusal(request, error);
  } finally {
    own.destroy();
  }
}

/** Asks AWS whose the credentials are. */
async function verify(
  { roleArn, accountId, region, name }: RoleSessionRequest,
  credentials: SessionCredentials,
): Promise<void> {
  const session = new STSClient({ region, credentials });
  try {
    const { Account, Arn } = await session.send(new GetCallerIdentityCommand({}));
    if (Account === accountId && Arn === sessionArn(roleArn, accountId, name)) return;
    throw new AppError(
      "account_refused",
      `The session of role ${roleArn} is ${Arn ?? "nobody"} in AWS account ${Account ?? "unknown"}, not of the registered account ${accountId}: register the account with a role of its own`,
    );
  } finally {
    session.destroy();
  }
}

/** A role's path is no part of its sessions' ARN. */
function sessionArn(roleArn: string, accountId: string, sessionName: string): string {
  const [, partition = ""] = roleArn.split(":");
  return `arn:${partition}:sts::${accountId}:assumed-role/${roleArn.split("/").at(-1)}/${sessionName}`;
}

function refusal({ roleArn }: RoleSessionRequest, cause: unknown): AppError {
  const { name } = cause instanceof Error ? cause : { name: "unknown error" };
  if (cause instanceof STSServiceException && cause.$fault === "client") {
    return new AppError(
      "account_refused",
      `AWS doesn't let the service assume the role ${roleArn} (${name}): its trust policy has to allow sts:AssumeRole and sts:TagSession to the service's identity with the team's external id, see docs/production.md`,
      { cause },
    );
  }
  return new AppError(
    "unavailable",
    `The role ${roleArn} can't be assumed, because STS did not answer (${name}): repeat it`,
    { cause },
  );
}
