import * as grpc from "@grpc/grpc-js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import { AwsError } from "./aws-error.ts";
import { checkBag, checkInputs, type Failure, failureText } from "./check.ts";
import { type ProviderConfiguration, parseConfiguration } from "./configuration.ts";
import type { Connections } from "./connections.ts";
import { type Change, changeKey, diffResource } from "./diff.ts";
import { invoke } from "./invokes.ts";
import type { Lifecycle, Target } from "./lifecycle.ts";
import type { AutonamingMode } from "./names.ts";
import type { ResourceType, Schema } from "./schema.ts";
import { type ResourceStore, serviceUnavailable } from "./store.ts";
import { containsUnknown, isEqual, type Path, type PropertyMap, pathText } from "./values.ts";
import { decodeProperties, encodeProperties, type Properties } from "./wire.ts";

const version = "7.48.0";

export interface ProviderParts {
  readonly schema: Schema;
  readonly lifecycle: Lifecycle;
  readonly store: ResourceStore;
  readonly connections: Connections;
}

type Handler<Request, Response> = (request: Request, peer: string) => Response | Promise<Response>;

/** Turns a handler into a gRPC method. Errors become statuses with a text for people, never a stack trace. */
function unary<Request, Response>(
  handler: Handler<Request, Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handler(call.request, call.getPeer()))
      .then(
        (response) => callback(null, response),
        (error) => callback(statusOf(error)),
      );
  };
}

function statusOf(error: unknown): { code: grpc.status; details: string } {
  if (error instanceof AwsError) return { code: grpc.status.UNKNOWN, details: error.message };
  // What the driver says may name hosts and users: it goes to the process's log, not to the engine.
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return { code: grpc.status.UNAVAILABLE, details: serviceUnavailable().message };
}

/** The ResourceProvider service of the Pulumi protocol. It keeps no state of its own but what each connection configured. */
export function providerServer(parts: ProviderParts): grpc.Server {
  // An engine may send a Lambda function's code within its inputs.
  const server = new grpc.Server({ "grpc.max_receive_message_length": 400 * 1024 * 1024 });
  server.addService(providerGrpc.ResourceProviderService, {
    ...configurationMethods(parts),
    ...planningMethods(parts),
    ...lifecycleMethods(parts),
  });
  return server;
}

function configurationMethods({ schema, connections }: ProviderParts): grpc.UntypedServiceImplementation {
  return {
    handshake: unary(() => {
      const response = new providerPb.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      response.setAcceptResources(false);
      response.setAcceptOutputs(false);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),
    attach: unary(() => new emptyPb.Empty()),
    // Other engines are at work in this process: only the calls of this connection end.
    cancel: unary((_: emptyPb.Empty, peer) => {
      connections.cancel(peer);
      return new emptyPb.Empty();
    }),
    getPluginInfo: unary(() => new pluginPb.PluginInfo().setVersion(version)),
    checkConfig: unary((request: providerPb.CheckRequest) => {
      const news = decodeProperties(request.getNews());
      const { version: _, ...values } = news.values;
      const { failures } = checkBag(schema, schema.provider(), parsedTexts(values), "the aws provider");
      const response = new providerPb.CheckResponse();
      response.setInputs(encodeProperties(news.values, news.secrets));
      response.setFailuresList(failures.map((failure) => checkFailure(failure, news.secrets)));
      return response;
    }),
    diffConfig: unary((request: providerPb.DiffRequest) => diffConfiguration(request)),
    configure: unary((request: providerPb.ConfigureRequest, peer) => {
      connections.configure(
        peer,
        parseConfiguration(parsedTexts(decodeProperties(request.getArgs()).values)),
      );
      const response = new providerPb.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),
  };
}

/** The SDK sends a provider's inputs that aren't strings as JSON text. */
function parsedTexts(inputs: PropertyMap): PropertyMap {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => {
      if (typeof value !== "string" || !/^([[{]|true$|false$|\d+$)/.test(value)) return [name, value];
      return [name, JSON.parse(value)];
    }),
  );
}

function diffConfiguration(request: providerPb.DiffRequest): providerPb.DiffResponse {
  const olds = decodeProperties(request.getOldInputs() ?? request.getOlds()).values;
  const news = decodeProperties(request.getNews()).values;
  const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
  const changed = names.filter((name) => name !== "version" && !isEqual(olds[name], news[name]));
  // A provider of another region or account holds other resources.
  const before = parseConfiguration(parsedTexts(olds));
  const after = parseConfiguration(parsedTexts(news));
  const moves =
    !containsUnknown(news) && (before.region !== after.region || before.account !== after.account);
  const response = new providerPb.DiffResponse();
  response.setChanges(
    changed.length > 0
      ? providerPb.DiffResponse.DiffChanges.DIFF_SOME
      : providerPb.DiffResponse.DiffChanges.DIFF_NONE,
  );
  response.setDiffsList(changed);
  if (moves)
    response.setReplacesList(
      changed.filter((name) => ["region", "allowedAccountIds", "assumeRoles"].includes(name)),
    );
  return response;
}

function checkFailure(failure: Failure, secrets: readonly Path[]): providerPb.CheckFailure {
  const isSecret = secrets.some((path) => path.every((step, index) => failure.path[index] === step));
  const response = new providerPb.CheckFailure();
  // Without a property: the engine would show the value beside it, secrets included.
  response.setReason(
    isSecret
      ? `${pathText(failure.path)} is not allowed; its value is secret and not shown`
      : failureText(failure),
  );
  return response;
}

function planningMethods({ schema, store, connections }: ProviderParts): grpc.UntypedServiceImplementation {
  return {
    check: unary((request: providerPb.CheckRequest) => {
      const type = typeOf(schema, request);
      const news = decodeProperties(request.getNews());
      const autonaming = request.getAutonaming();
      const { inputs, failures } = checkInputs(schema, type, news.values, {
        logicalName: request.getName(),
        olds: decodeProperties(request.getOlds()).values,
        seed: request.getRandomseed_asU8(),
        ...(autonaming && {
          autonaming: {
            mode: autonamingModes[autonaming.getMode()] ?? "propose",
            proposedName: autonaming.getProposedName(),
          },
        }),
      });
      const response = new providerPb.CheckResponse();
      response.setInputs(encodeProperties(inputs, news.secrets));
      response.setFailuresList(failures.map((failure) => checkFailure(failure, news.secrets)));
      return response;
    }),
    diff: unary((request: providerPb.DiffRequest, peer) => {
      const difference = diffResource(typeOf(schema, request), {
        oldInputs: decodeProperties(request.getOldInputs()).values,
        oldOutputs: decodeProperties(request.getOlds()).values,
        news: decodeProperties(request.getNews()).values,
        configuration: configurationOf(connections, peer),
      });
      return diffResponse(difference.changes, difference.deleteBeforeReplace);
    }),
    invoke: unary(async (request: providerPb.InvokeRequest, peer) => {
      const args = decodeProperties(request.getArgs());
      const configuration = configurationOf(connections, peer);
      const response = new providerPb.InvokeResponse();
      const result = await invoke({ schema, store, configuration }, request.getTok(), args);
      if ("failures" in result) {
        response.setFailuresList(result.failures.map((failure) => checkFailure(failure, args.secrets)));
      } else {
        response.setReturn(encodeProperties(result.values, result.secrets));
      }
      return response;
    }),
  };
}

const autonamingModes: readonly AutonamingMode[] = ["propose", "enforce", "disable"];

function diffResponse(changes: readonly Change[], deleteBeforeReplace: boolean): providerPb.DiffResponse {
  const { DiffChanges } = providerPb.DiffResponse;
  const response = new providerPb.DiffResponse();
  response.setChanges(changes.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE);
  response.setHasdetaileddiff(true);
  response.setDeletebeforereplace(deleteBeforeReplace);
  response.setDiffsList([...new Set(changes.map(({ path }) => String(path[0])))]);
  response.setReplacesList([
    ...new Set(changes.filter((change) => change.replaces).map(({ path }) => String(path[0]))),
  ]);
  const detailed = response.getDetaileddiffMap();
  for (const change of changes) {
    const entry = new providerPb.PropertyDiff();
    entry.setKind(propertyDiffKind(change));
    entry.setInputdiff(change.isInput);
    detailed.set(changeKey(change), entry);
  }
  return response;
}

function propertyDiffKind(change: Change): providerPb.PropertyDiff.Kind {
  const { Kind } = providerPb.PropertyDiff;
  if (change.kind === "add") return change.replaces ? Kind.ADD_REPLACE : Kind.ADD;
  if (change.kind === "delete") return change.replaces ? Kind.DELETE_REPLACE : Kind.DELETE;
  return change.replaces ? Kind.UPDATE_REPLACE : Kind.UPDATE;
}

function lifecycleMethods({
  schema,
  lifecycle,
  connections,
}: ProviderParts): grpc.UntypedServiceImplementation {
  const targetOf = (request: ResourceRequest, state: PropertyMap, peer: string): Target => ({
    type: typeOf(schema, request),
    configuration: configurationOf(connections, peer),
    id: request.getId(),
    state,
  });
  return {
    create: unary(async (request: providerPb.CreateRequest, peer) => {
      const type = typeOf(schema, request);
      const configuration = configurationOf(connections, peer);
      const inputs = decodeProperties(request.getProperties());
      const response = new providerPb.CreateResponse();
      if (request.getPreview())
        return response.setProperties(encode(lifecycle.plan(type, inputs, configuration)));
      const created = await lifecycle.create(type, inputs, configuration);
      return response.setId(created.id).setProperties(encode(created.outputs));
    }),
    read: unary(async (request: providerPb.ReadRequest, peer) => {
      const state = decodeProperties(request.getProperties());
      const found = await lifecycle.read(
        targetOf(request, state.values, peer),
        decodeProperties(request.getInputs()),
      );
      const response = new providerPb.ReadResponse();
      if (!found) return response;
      return response.setId(found.id).setInputs(encode(found.inputs)).setProperties(encode(found.outputs));
    }),
    update: unary(async (request: providerPb.UpdateRequest, peer) => {
      const state = decodeProperties(request.getOlds());
      const target = targetOf(request, state.values, peer);
      const news = decodeProperties(request.getNews());
      const updated = request.getPreview()
        ? lifecycle.planUpdate(target, news)
        : await lifecycle.update(target, news, decodeProperties(request.getOldInputs()).values);
      return new providerPb.UpdateResponse().setProperties(encode(updated));
    }),
    delete: unary(async (request: providerPb.DeleteRequest, peer) => {
      await lifecycle.delete(targetOf(request, decodeProperties(request.getProperties()).values, peer));
      return new emptyPb.Empty();
    }),
  };
}

function encode(properties: Properties) {
  return encodeProperties(properties.values, properties.secrets);
}

interface TypedRequest {
  getUrn(): string;
  getType(): string;
}

interface ResourceRequest extends TypedRequest {
  getId(): string;
}

function typeOf(schema: Schema, request: TypedRequest): ResourceType {
  const token = request.getType();
  const type = schema.resource(token);
  if (type) return type;
  throw new AwsError(
    "UnknownResourceType",
    `The sandbox doesn't know the type ${token}: its schema lists those it does (docs/sandbox.md)`,
  );
}

function configurationOf(connections: Connections, peer: string): ProviderConfiguration {
  const configuration = connections.configurationOf(peer);
  if (configuration) return configuration;
  throw new AwsError(
    "ProviderNotConfigured",
    "This connection was never configured or was opened anew: run the operation again",
  );
}
