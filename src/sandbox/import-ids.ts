import type { StoredResource } from "./store.ts";
import type { PropertyMap } from "./values.ts";

// What the provider imports by, where that isn't the id, as "Import" on each type's page tells:
// https://www.pulumi.com/registry/packages/aws/api-docs/
const templates: Readonly<Record<string, string>> = {
  "apigateway/authorizer": "{restApi}/{id}",
  "apigateway/deployment": "{restApi}/{id}",
  "apigateway/integration": "{restApi}/{resourceId}/{httpMethod}",
  "apigateway/method": "{restApi}/{resourceId}/{httpMethod}",
  "apigateway/methodSettings": "{restApi}/{stageName}/{methodPath}",
  "apigateway/model": "{restApi}/{name}",
  "apigateway/requestValidator": "{restApi}/{id}",
  "apigateway/resource": "{restApi}/{id}",
  "apigateway/response": "{restApiId}/{responseType}",
  "apigateway/stage": "{restApi}/{stageName}",
  "apigateway/usagePlanKey": "{usagePlanId}/{keyId}",
  "appautoscaling/policy": "{serviceNamespace}/{resourceId}/{scalableDimension}/{name}",
  "appautoscaling/target": "{serviceNamespace}/{resourceId}/{scalableDimension}",
  "backup/selection": "{planId}|{id}",
  "codebuild/project": "{name}",
  "codedeploy/application": "{name}",
  "codedeploy/deploymentGroup": "{appName}:{deploymentGroupName}",
  "ecs/cluster": "{name}",
  "lambda/alias": "{functionName}/{name}",
};

const last = (value: unknown): string => text(value).split("/").at(-1) ?? "";
const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));

const special: Readonly<Record<string, (outputs: PropertyMap) => string>> = {
  "cloudwatch/eventTarget": ({ eventBusName, rule, targetId }) =>
    [eventBusName === "default" ? undefined : eventBusName, rule, targetId].filter(Boolean).join("/"),
  "ec2/route": (outputs) => {
    const { destinationCidrBlock, destinationIpv6CidrBlock, destinationPrefixListId, routeTableId } = outputs;
    const destination = [destinationCidrBlock, destinationIpv6CidrBlock, destinationPrefixListId].find(
      (one) => text(one) !== "",
    );
    return `${text(routeTableId)}_${text(destination)}`;
  },
  "ec2/routeTableAssociation": ({ subnetId, gatewayId, routeTableId }) =>
    `${text(subnetId) || text(gatewayId)}/${text(routeTableId)}`,
  "ecs/service": ({ cluster, name }) => `${last(cluster)}/${text(name)}`,
  "lambda/permission": ({ function: target, qualifier, statementId }) =>
    `${text(target)}${text(qualifier) === "" ? "" : `:${text(qualifier)}`}/${text(statementId)}`,
};

/** What a person would type to import the resource; its id unless its type has another form. */
export function importIdOf(row: StoredResource): string {
  const kind = row.type.split(":")[1] ?? "";
  const template = templates[kind];
  if (template === undefined) return special[kind]?.(row.outputs) ?? row.aws_id;
  return template.replace(/\{(\w+)\}/g, (_, name: string) =>
    name === "id" ? row.aws_id : text(row.outputs[name]),
  );
}

/** An import's id may name another region than the provider's, as in `id@us-east-1`. */
export function importTarget(id: string, region: string): { readonly id: string; readonly region: string } {
  const named = /^(.+)@([a-z]{2}(?:-[a-z]+)+-\d)$/.exec(id);
  return named?.[1] === undefined || named[2] === undefined
    ? { id, region }
    : { id: named[1], region: named[2] };
}
