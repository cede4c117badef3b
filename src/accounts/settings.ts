import Type, { type Static } from "typebox";
import { rangeProblem } from "../../programs/cidr.ts";
import { DEFAULT_CIDR } from "../../programs/foundation.ts";
import { PROFILES, type Profile } from "../../programs/profiles.ts";
import { type Adopted, SINGLETONS } from "../../programs/singletons.ts";
import { AppError } from "../errors.ts";
import { invalid } from "../http/validation.ts";

/** From the safest to the most thorough; where registrations differ, the safest wins. */
export const unusedPolicies = ["keep", "release", "destroy"] as const;
export type UnusedPolicy = (typeof unusedPolicies)[number];

const Existing = Type.Object(
  Object.fromEntries(
    SINGLETONS.map((singleton) => [
      singleton,
      Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 2048,
          description: `Id or ARN of the ${singleton} to use as it is`,
        }),
      ),
    ]),
  ) as Record<(typeof SINGLETONS)[number], ReturnType<typeof Type.Optional<ReturnType<typeof Type.String>>>>,
  {
    additionalProperties: false,
    default: {},
    description:
      "Account-wide resources that are to be used as they are. Most are found without this; needed for those that AWS can't list",
  },
);

/** What a registration asks of the foundation. */
export const FoundationRequest = Type.Object(
  {
    profile: Type.Enum([...PROFILES], {
      default: "learning",
      description:
        "`production` adds private subnets, interface endpoints and the security services; production pipelines need it. Where registrations of the same AWS account and region differ, production wins",
    }),
    cidr: Type.Optional(
      Type.String({
        maxLength: 18,
        description: `Private address range of the shared network, /16 to /24; ${DEFAULT_CIDR} unless given. It can't be changed once the network is there`,
      }),
    ),
    securityServices: Type.Boolean({
      default: false,
      description:
        "GuardDuty, Security Hub and Access Analyzer in the profile `learning`; `production` always has them. One registration that asks is enough",
    }),
    existing: Existing,
    onUnused: Type.Enum([...unusedPolicies], {
      default: "keep",
      description:
        "What becomes of the foundation when the last pipeline on it is removed: `keep` leaves it provisioned, `release` leaves its resources in AWS and stops looking after them, `destroy` removes it but for audit records and keys. Where registrations differ, the first of these wins",
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: "The foundation that the pipelines of this AWS account and region share",
  },
);
export type FoundationRequest = Static<typeof FoundationRequest>;

/** What all registrations of one AWS account and region come to. */
export interface FoundationSettings {
  readonly profile: Profile;
  readonly securityServices: boolean;
  readonly cidr: string;
  readonly existing: Adopted;
  readonly onUnused: UnusedPolicy;
}

/** Throws `invalid_request` for what the schema can't say. */
export function checkRequest({ cidr }: FoundationRequest): void {
  const message = cidr === undefined ? undefined : rangeProblem(cidr);
  if (message !== undefined) throw invalid("invalid_request", [{ path: "/foundation/cidr", message }]);
}

/**
 * The settings that serve every registration: the stricter profile, security services if anyone asks, the safest end. Throws
 * `account_conflict` where no settings can serve all: two address ranges, two ids of one singleton. `fixedCidr` is the range of
 * a network that is there already.
 */
export function settingsFor(
  requests: readonly FoundationRequest[],
  fixedCidr: string | undefined,
): FoundationSettings {
  return {
    profile: requests.some(({ profile }) => profile === "production") ? "production" : "learning",
    securityServices: requests.some(({ securityServices }) => securityServices),
    cidr: only("cidr", [fixedCidr, ...requests.map(({ cidr }) => cidr)]) ?? DEFAULT_CIDR,
    existing: Object.fromEntries(
      SINGLETONS.flatMap((singleton) => {
        const id = only(
          `existing/${singleton}`,
          requests.map(({ existing }) => existing[singleton]),
        );
        return id === undefined ? [] : [[singleton, id]];
      }),
    ),
    onUnused: unusedPolicies.find((policy) => requests.some(({ onUnused }) => onUnused === policy)) ?? "keep",
  };
}

function only(field: string, values: readonly (string | undefined)[]): string | undefined {
  const [value, other] = [...new Set(values.filter((given) => given !== undefined))];
  if (other === undefined) return value;
  const message = `is ${other} here, but the foundation that this AWS account and region share has ${value}: give that, or leave it out`;
  throw new AppError("account_conflict", `foundation.${field.replace("/", ".")} ${message}`, {
    details: { errors: [{ path: `/foundation/${field}`, message }] },
  });
}
