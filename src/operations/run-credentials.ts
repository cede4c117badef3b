import type { Logger } from "pino";
import { CredentialsEndpoint } from "../aws/credentials-endpoint.ts";
import { type CredentialSource, roleSession, teamSession } from "../aws/role-session.ts";
import {
  foundationSessionPolicy,
  pipelineSessionPolicy,
  type StateBucket,
  stateSessionPolicy,
} from "../aws/session-policies.ts";
import type { TeamAccount } from "../aws/team-account.ts";
import type { RunCredentials } from "../engine/protocol.ts";
import type { StackRow } from "../stacks/store.ts";
import type { Operation } from "./store.ts";

/** The role by which the service's own bucket of states is reached. */
export interface StateRole {
  readonly roleArn: string;
  readonly region: string;
  readonly bucket: StateBucket;
}

export interface GrantedCredentials extends RunCredentials {
  /** From now on nobody gets them any more; what was got lasts at most an hour. */
  revoke(): void;
}

export interface RunCredentialsOptions {
  /** Whether programs work on AWS, with the role of the account. */
  readonly aws: boolean;
  readonly stateRole: StateRole | undefined;
  readonly log: Logger;
}

/** Gives each run sessions of its own: one to its account, one to its stack's state. Neither does what the other is for. */
export class RunCredentialsIssuer {
  readonly #options: RunCredentialsOptions;
  readonly #endpoint: CredentialsEndpoint;

  private constructor(options: RunCredentialsOptions, endpoint: CredentialsEndpoint) {
    this.#options = options;
    this.#endpoint = endpoint;
  }

  static async start(options: RunCredentialsOptions): Promise<RunCredentialsIssuer> {
    const endpoint = await CredentialsEndpoint.start((error) =>
      options.log.error({ err: error }, "a run could not get its credentials"),
    );
    return new RunCredentialsIssuer(options, endpoint);
  }

  /**
   * Opens the sessions that an operation needs and proves that they are what they should be, before anything is started. Throws
   * `account_refused` or `unavailable`.
   */
  async grant(operation: Operation, account: TeamAccount, stack: StackRow): Promise<GrantedCredentials> {
    const { aws, stateRole } = this.#options;
    const [provider, state] = await Promise.all([
      aws ? this.#serve(accountSession(operation, account)) : undefined,
      stateRole ? this.#serve(stateSession(operation, stateRole, stack)) : undefined,
    ]);
    return {
      ...(provider && { provider: provider.address }),
      ...(state && { state: state.address }),
      revoke: () => {
        provider?.revoke();
        state?.revoke();
      },
    };
  }

  close(): Promise<void> {
    return this.#endpoint.close();
  }

  async #serve(source: CredentialSource) {
    await source();
    const { revoke, ...address } = this.#endpoint.grant(source);
    return { address, revoke };
  }
}

const sessionName = ({ id }: Operation) => `aidlc-${id}`;

function accountSession(operation: Operation, account: TeamAccount): CredentialSource {
  const { team, subject } = operation;
  const { aws } = account;
  return teamSession(account, {
    name: sessionName(operation),
    tags: {
      team,
      ...(subject.type === "pipeline" ? { pipeline: subject.pipeline } : { account: subject.account }),
      operation: operation.id,
    },
    policy:
      subject.type === "pipeline"
        ? pipelineSessionPolicy({ account: aws, team, pipeline: subject.pipeline })
        : foundationSessionPolicy(aws),
  });
}

function stateSession(
  operation: Operation,
  { roleArn, region, bucket }: StateRole,
  stack: StackRow,
): CredentialSource {
  return roleSession({
    roleArn,
    accountId: roleArn.split(":")[4] ?? "",
    region,
    name: sessionName(operation),
    policy: stateSessionPolicy(bucket, { project: stack.project, name: stack.name, region }),
  });
}
