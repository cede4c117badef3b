import { once } from "node:events";
import { createServer, request as forward } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A request for AWS as it arrived. */
export interface AwsRequest {
  readonly method: string;
  readonly path: string;
  /** Of whom: the access key's id in the signature. */
  readonly accessKeyId: string | undefined;
  readonly service: string | undefined;
  readonly target: string | undefined;
  readonly copySource: string | undefined;
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
  /** The fields of a form, as STS takes them. */
  readonly form: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface AwsAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface AwsRecorder {
  readonly url: string;
  readonly requests: readonly AwsRequest[];
  /** The session policies that STS was asked for, by the ids of the keys that it gave. */
  readonly policies: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/**
 * A server in front of an emulator that keeps every request, and answers itself where `answer` does. `amend` adds to the emulator's
 * answers what it forgets.
 */
export async function recordAws(
  emulator: string,
  answer: (request: AwsRequest) => AwsAnswer | undefined | Promise<AwsAnswer | undefined> = () => undefined,
  amend?: (request: AwsRequest, body: string) => string,
): Promise<AwsRecorder> {
  const requests: AwsRequest[] = [];
  const policies = new Map<string, string>();
  const server = createServer(async (incoming, outgoing) => {
    const body = await buffer(incoming);
    const signature = /Credential=([^/]+)\/[^/]+\/[^/]+\/([^/]+)\//.exec(
      incoming.headers.authorization ?? "",
    );
    const isForm = incoming.headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
    const recorded: AwsRequest = {
      method: incoming.method ?? "",
      path: incoming.url ?? "",
      accessKeyId: signature?.[1],
      service: signature?.[2],
      target: incoming.headers["x-amz-target"] as string | undefined,
      copySource: incoming.headers["x-amz-copy-source"] as string | undefined,
      contentType: incoming.headers["content-type"],
      accept: incoming.headers.accept,
      form: isForm ? Object.fromEntries(new URLSearchParams(body.toString())) : {},
      body: body.toString(),
    };
    requests.push(recorded);
    const own = await answer(recorded);
    if (own !== undefined) {
      outgoing.writeHead(own.status, { ...own.headers, "content-type": own.type }).end(own.body);
      return;
    }
    const { method, headers, url } = incoming;
    const onward = forward(new URL(url ?? "/", emulator), { method, headers }, async (response) => {
      const content = await buffer(response);
      const given = /<AccessKeyId>(.+?)<\/AccessKeyId>/.exec(isForm ? content.toString() : "")?.[1];
      if (given !== undefined) policies.set(given, recorded.form.Policy ?? "");
      const { "transfer-encoding": _, ...rest } = response.headers;
      const text = content.toString();
      const amended = amend?.(recorded, text) ?? text;
      // What is left alone may be no text.
      const sent = amended === text ? content : Buffer.from(amended);
      const length = sent.length === content.length ? {} : { "content-length": `${sent.length}` };
      outgoing.writeHead(response.statusCode ?? 502, { ...rest, ...length }).end(sent);
    });
    onward.on("error", () => outgoing.destroy());
    onward.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    policies,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** How STS refuses. */
export function stsError(code: string, message: string): AwsAnswer {
  return {
    status: 403,
    type: "text/xml",
    body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
  };
}
