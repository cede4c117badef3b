import { CloudControlClient } from "@aws-sdk/client-cloudcontrol";

/** CloudFormation's properties of what an account has, by type and identifier; or the error that AWS answers with. */
export type Inventory = Readonly<
  Record<string, Readonly<Record<string, object>> | { readonly error: string }>
>;

interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A client that gets AWS's answers over the wire from an inventory, two items to a page. */
export function cloudControl(inventory: Inventory): CloudControlClient {
  return new CloudControlClient({
    region: "eu-west-1",
    maxAttempts: 1,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    requestHandler: {
      handle: async ({ headers, body }: Request) => {
        const answer = reply(
          inventory,
          headers["x-amz-target"] ?? "",
          JSON.parse(new TextDecoder().decode(body)),
        );
        return { response: answer } as never;
      },
    } as never,
  });
}

function reply(
  inventory: Inventory,
  target: string,
  { TypeName, Identifier, NextToken }: Readonly<Record<string, string>>,
) {
  const found = inventory[String(TypeName)] ?? {};
  if (typeof found.error === "string") return failure(found.error);
  const items = Object.entries(found).map(([id, properties]) => describe(id, properties));
  if (target.endsWith(".ListResources")) {
    const from = Number(NextToken ?? 0);
    const more = from + 2 < items.length ? { NextToken: String(from + 2) } : {};
    return respond(200, { TypeName, ResourceDescriptions: items.slice(from, from + 2), ...more });
  }
  const one = items.find((item) => item.Identifier === Identifier);
  return one === undefined
    ? failure("ResourceNotFoundException")
    : respond(200, { TypeName, ResourceDescription: one });
}

const describe = (Identifier: string, properties: object) => ({
  Identifier,
  Properties: JSON.stringify(properties),
});

const failure = (error: string) =>
  respond(400, { __type: `com.amazonaws.cloudapiservice#${error}`, Message: error });

function respond(statusCode: number, body: object) {
  const headers = { "content-type": "application/x-amz-json-1.0" };
  return { statusCode, headers, body: new TextEncoder().encode(JSON.stringify(body)) };
}
