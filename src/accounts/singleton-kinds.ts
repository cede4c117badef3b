import type { foundationNames } from "../../programs/names.ts";
import type { Singleton } from "../../programs/singletons.ts";
import { TAG } from "../../programs/tags.ts";
import type { FoundResource } from "./cloud-control.ts";

/** How a singleton is looked up in an account, and what of it the foundation can use as it is. */
export interface SingletonKind {
  readonly singleton: Singleton;
  /** CloudFormation's name of the type. */
  readonly typeName: string;
  /** Of the foundation's own. */
  readonly pulumiType: string;
  /** Only looked up where the foundation would have one. */
  readonly withSecurityServices?: true;
  /** Asked for by this identifier; without it all are listed. */
  readonly identifier?: (names: Names) => string;
  /** A list answers with identifiers only: each is read before it is judged. */
  readonly readEach?: true;
  /** Id by which the foundation uses it; undefined where it doesn't do what the foundation needs. */
  readonly usableId?: (found: FoundResource) => string | undefined;
  /** Recognises the foundation's own by what AWS tells, for when its state isn't on record. */
  readonly isOwn?: (found: FoundResource, names: Names) => boolean;
  /** Neither name nor tag could tell: once the foundation set out to make it, what is found is taken for its own. */
  readonly isSticky?: true;
}

type Names = ReturnType<typeof foundationNames> & { readonly accountId: string; readonly foundation: string };

const own =
  (name: (names: Names) => string) =>
  ({ identifier }: FoundResource, names: Names) =>
    identifier === name(names);

/** By the tag that everything of a foundation bears. CloudFormation's types have tags as a list, here and there as a map. */
function bearsTag({ properties: { Tags: tags } }: FoundResource, { foundation }: Names): boolean {
  if (!Array.isArray(tags)) return isRecord(tags) && tags[TAG.foundation] === foundation;
  return tags.some((tag: unknown) => isRecord(tag) && tag.Key === TAG.foundation && tag.Value === foundation);
}

/** What can be looked up. What is missing here AWS has no list of: who registers the account names it. */
export const SINGLETON_KINDS: readonly SingletonKind[] = [
  {
    singleton: "trail",
    typeName: "AWS::CloudTrail::Trail",
    pulumiType: "aws:cloudtrail/trail:Trail",
    readEach: true,
    usableId: usableTrail,
    isOwn: own(({ trail }) => trail),
  },
  {
    singleton: "configRecorder",
    typeName: "AWS::Config::ConfigurationRecorder",
    pulumiType: "aws:cfg/recorder:Recorder",
    isOwn: own(({ configRecorder }) => configRecorder),
  },
  {
    singleton: "configDeliveryChannel",
    typeName: "AWS::Config::DeliveryChannel",
    pulumiType: "aws:cfg/deliveryChannel:DeliveryChannel",
    isOwn: own(({ configRecorder }) => configRecorder),
  },
  {
    singleton: "configServiceRole",
    typeName: "AWS::IAM::ServiceLinkedRole",
    pulumiType: "aws:iam/serviceLinkedRole:ServiceLinkedRole",
    identifier: () => "AWSServiceRoleForConfig",
  },
  {
    singleton: "guardDuty",
    typeName: "AWS::GuardDuty::Detector",
    pulumiType: "aws:guardduty/detector:Detector",
    withSecurityServices: true,
    isOwn: bearsTag,
    readEach: true,
  },
  {
    singleton: "securityHub",
    typeName: "AWS::SecurityHub::Hub",
    pulumiType: "aws:securityhub/account:Account",
    withSecurityServices: true,
    isSticky: true,
  },
  {
    singleton: "accessAnalyzer",
    typeName: "AWS::AccessAnalyzer::Analyzer",
    pulumiType: "aws:accessanalyzer/analyzer:Analyzer",
    withSecurityServices: true,
    readEach: true,
    usableId: ({ identifier, properties }) => (properties.Type === "ACCOUNT" ? identifier : undefined),
    isOwn: ({ properties }, { accessAnalyzer }) => properties.AnalyzerName === accessAnalyzer,
  },
  {
    singleton: "apiGatewayRole",
    typeName: "AWS::ApiGateway::Account",
    pulumiType: "aws:apigateway/account:Account",
    // There is one, whatever it is asked for by.
    identifier: ({ accountId }) => accountId,
    usableId: ({ properties }) => text(properties.CloudWatchRoleArn),
    isOwn: ({ properties }, { apiGatewayRole }) =>
      text(properties.CloudWatchRoleArn)?.endsWith(`/${apiGatewayRole}`) === true,
  },
  {
    singleton: "registryScanning",
    typeName: "AWS::ECR::RegistryScanningConfiguration",
    pulumiType: "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
    identifier: ({ accountId }) => accountId,
    // A registry that nobody configured answers too, with no rules.
    usableId: ({ identifier, properties }) => (rulesOf(properties).length > 0 ? identifier : undefined),
    isOwn: ({ properties }) => JSON.stringify(rulesOf(properties)).includes('"aidlc/*"'),
  },
  ...(["processing", "training"] as const).map(
    (job): SingletonKind => ({
      singleton: `${job}LogGroup`,
      typeName: "AWS::Logs::LogGroup",
      pulumiType: "aws:cloudwatch/logGroup:LogGroup",
      identifier: (names) => names[`${job}LogGroup`],
      isOwn: bearsTag,
    }),
  ),
];

/** One that already does what the foundation's own would: all regions, validated, with the objects of all buckets. */
function usableTrail({ properties }: FoundResource): string | undefined {
  const complete =
    properties.IsMultiRegionTrail === true &&
    properties.EnableLogFileValidation === true &&
    properties.IsLogging === true &&
    recordsObjects(properties);
  return complete ? text(properties.Arn) : undefined;
}

function recordsObjects({
  EventSelectors: basic,
  AdvancedEventSelectors: advanced,
}: FoundResource["properties"]) {
  const everyBucket = /^arn:[a-z-]+:s3(:::)?$/;
  const byBasic = asList(basic).some(
    (selector) =>
      isRecord(selector) &&
      selector.ReadWriteType !== "ReadOnly" &&
      selector.ReadWriteType !== "WriteOnly" &&
      selector.IncludeManagementEvents !== false &&
      asList(selector.DataResources).some(
        (resource) =>
          isRecord(resource) &&
          resource.Type === "AWS::S3::Object" &&
          asList(resource.Values).some((value) => everyBucket.test(String(value))),
      ),
  );
  if (byBasic) return true;
  const categories = asList(advanced).flatMap((selector) => {
    const fields = isRecord(selector) ? asList(selector.FieldSelectors).filter(isRecord) : [];
    const equal = (field: string) => asList(fields.find(({ Field }) => Field === field)?.Equals).map(String);
    const [category = ""] = equal("eventCategory");
    if (category === "Management") return fields.length === 1 ? [category] : [];
    // Any further condition would leave something out.
    return category === "Data" && fields.length === 2 && equal("resources.type").includes("AWS::S3::Object")
      ? [category]
      : [];
  });
  return categories.includes("Management") && categories.includes("Data");
}

const rulesOf = ({ Rules: rules }: FoundResource["properties"]): readonly unknown[] => asList(rules);
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
