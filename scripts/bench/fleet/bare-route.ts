import { json as readJson } from "node:stream/consumers";
import fastify from "fastify";

/** What each path is answered with; travels over standard input. */
export interface BareAnswers {
  readonly type: string;
  readonly bodies: Readonly<Record<string, string>>;
}

// The least that Fastify can be asked to do: no access to check, nothing to look up, nothing to write as JSON.
const { type, bodies } = (await readJson(process.stdin)) as BareAnswers;
const app = fastify();
app.get("/*", (request, reply) => reply.type(type).send(bodies[request.url]));
process.stdout.write(`${await app.listen({ host: "127.0.0.1", port: 0 })}\n`);
