import {
  type CloudControlClient,
  CloudControlServiceException,
  GetResourceCommand,
  paginateListResources,
  type ResourceDescription,
} from "@aws-sdk/client-cloudcontrol";

/** A resource as AWS Cloud Control describes it: the properties are those of its CloudFormation type. */
export interface FoundResource {
  readonly identifier: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** What Cloud Control has no handler for. */
const UNSUPPORTED: readonly string[] = ["UnsupportedActionException", "TypeNotFoundException"];

/** How emulators answer where they have no Cloud Control at all; AWS itself never does. */
const ABSENT: readonly (number | undefined)[] = [404, 501];

/**
 * Every resource of a type in the account and region, or, where `model` names what it is a part of, of that; "unsupported" where AWS
 * can't list it.
 */
export async function listResources(
  client: CloudControlClient,
  typeName: string,
  model?: Readonly<Record<string, unknown>>,
): Promise<readonly FoundResource[] | "unsupported"> {
  return orUnsupported(async () => {
    const found: FoundResource[] = [];
    for await (const page of paginateListResources(
      { client },
      { TypeName: typeName, ...(model && { ResourceModel: JSON.stringify(model) }) },
    )) {
      found.push(...(page.ResourceDescriptions ?? []).map(described));
    }
    return found;
  });
}

/** The resource with this identifier, undefined when there is none; "unsupported" where AWS can't read the type. */
export async function getResource(
  client: CloudControlClient,
  typeName: string,
  identifier: string,
): Promise<FoundResource | undefined | "unsupported"> {
  return orUnsupported(async () => {
    try {
      const answer = await client.send(
        new GetResourceCommand({ TypeName: typeName, Identifier: identifier }),
      );
      return described(answer.ResourceDescription ?? {});
    } catch (error) {
      if (nameOf(error) === "ResourceNotFoundException") return undefined;
      throw error;
    }
  });
}

async function orUnsupported<Value>(ask: () => Promise<Value>): Promise<Value | "unsupported"> {
  try {
    return await ask();
  } catch (error) {
    if (UNSUPPORTED.includes(nameOf(error)) || ABSENT.includes(statusOf(error))) return "unsupported";
    throw error;
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

function statusOf(error: unknown): number | undefined {
  return error instanceof CloudControlServiceException ? error.$metadata.httpStatusCode : undefined;
}

function described({ Identifier = "", Properties = "{}" }: ResourceDescription): FoundResource {
  const properties: unknown = JSON.parse(Properties);
  return { identifier: Identifier, properties: properties as FoundResource["properties"] };
}
