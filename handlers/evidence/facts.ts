import type { BucketKind, KeyPurpose } from "../../programs/names.ts";
import type { Reading } from "./reading.ts";

/** A policy as AWS gives it: whoever wrote it may have written one statement or a list. */
export interface PolicyStatement {
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly Action?: unknown;
  readonly NotAction?: unknown;
  readonly Resource?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface BucketFacts {
  readonly kind: BucketKind;
  readonly name: string;
  readonly encryption: Reading<{
    readonly algorithm?: string | undefined;
    readonly key?: string | undefined;
  }>;
  readonly publicAccess: Reading<readonly (boolean | undefined)[]>;
  readonly policy: Reading<readonly PolicyStatement[]>;
  readonly ownership: Reading<string>;
  readonly versioning: Reading<string>;
  readonly logging: Reading<string>;
  readonly inventory: Reading<boolean>;
  readonly lifecycle: Reading<{ readonly expires: boolean; readonly expiresReplaced: boolean }>;
  readonly replication: Reading<string>;
  readonly notification: Reading<{ readonly queues: number; readonly eventBridge: boolean }>;
  readonly tags: Reading<Readonly<Record<string, string>>>;
}

export interface KeyFacts {
  readonly purpose: KeyPurpose;
  readonly alias: string;
  readonly key: Reading<{ readonly arn: string; readonly state: string; readonly usage: string }>;
  /** Of symmetric keys. */
  readonly rotates: Reading<boolean>;
  readonly policy: Reading<readonly PolicyStatement[]>;
}

export interface RoleFacts {
  readonly name: string;
  readonly role: Reading<{ readonly boundary: boolean }>;
  readonly policies: Reading<readonly PolicyStatement[]>;
  readonly attached: Reading<readonly string[]>;
}

export interface FunctionFacts {
  readonly name: string;
  readonly configuration: Reading<{ readonly state: string; readonly deadLetters: boolean }>;
  readonly policy: Reading<readonly PolicyStatement[]>;
}

/** A topic or a queue. */
export interface ChannelFacts {
  readonly name: string;
  readonly attributes: Reading<{
    readonly encrypted: boolean;
    readonly policy: readonly PolicyStatement[];
    /** Of topics: whether somebody is told. */
    readonly subscribers: number;
  }>;
}

export interface AlarmFacts {
  readonly name: string;
  readonly namespace: string;
  readonly tells: boolean;
}

/** Everything that was read, and nothing that was judged. */
export interface Facts {
  readonly buckets: readonly BucketFacts[];
  readonly keys: readonly KeyFacts[];
  readonly roles: readonly RoleFacts[];
  readonly functions: readonly FunctionFacts[];
  readonly topics: readonly ChannelFacts[];
  readonly queues: readonly ChannelFacts[];
  readonly rules: readonly { readonly name: string; readonly state: Reading<string> }[];
  readonly logGroups: Reading<
    readonly {
      readonly name: string;
      readonly encrypted: boolean;
      readonly retentionDays: number | undefined;
    }[]
  >;
  readonly alarms: Reading<readonly AlarmFacts[]>;
  readonly secret: {
    readonly name: string;
    readonly described: Reading<{ readonly key: string | undefined }>;
    readonly policy: Reading<readonly PolicyStatement[]>;
  };
  readonly trail: {
    readonly arn: string;
    readonly trail: Reading<{ readonly validatesFiles: boolean; readonly encrypted: boolean }>;
    readonly isLogging: Reading<boolean>;
    /** Of objects whose accesses are recorded, the beginnings of their ARNs. */
    readonly recordedObjects: Reading<readonly string[]>;
  };
  readonly models: {
    readonly group: string;
    readonly described: Reading<string>;
    readonly versions: Reading<{ readonly count: number; readonly approved: number }>;
  };
  readonly training: { readonly name: string; readonly state: Reading<string> };
  readonly metricNamespace: string;
  /** Whether the spec asks for replicas and backups. */
  readonly wantsReplicas: boolean;
}
