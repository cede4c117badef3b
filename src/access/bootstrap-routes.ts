import type pg from "pg";
import Type from "typebox";
import { type AuditTrail, auditContext } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { type App, problems } from "../http/app-types.ts";
import { inTransaction } from "../postgres/pool.ts";
import { insertAdministratorKey } from "./administrator.ts";
import { isBootstrapped, lockBootstrap, recordBootstrap } from "./bootstrap-store.ts";
import { newKey } from "./key-format.ts";
import { BootstrapBody, keyView, NewKeyView } from "./schema.ts";

export function bootstrapRoutes(
  app: App,
  { pool, audit }: { readonly pool: pg.Pool; readonly audit: AuditTrail },
): void {
  app.post(
    "/bootstrap",
    {
      config: { answerHoldsSecret: true },
      schema: {
        summary:
          "Exchange the bootstrap token, sent as bearer token, for the first administrator's key: once",
        tags: ["access"],
        body: Type.Optional(BootstrapBody),
        response: { 201: NewKeyView, ...problems(409, 413, 415) },
      },
    },
    async (request, reply) => {
      const key = newKey();
      const by = auditContext(request);
      const created = await inTransaction(pool, async (client) => {
        await lockBootstrap(client);
        if (await isBootstrapped(client)) {
          throw new AppError(
            "bootstrapped_already",
            "The bootstrap token is worth nothing any more: the first administrator's key was given out before. Use that key, or see docs/runbook.md if it is lost",
          );
        }
        const owner = { name: request.body?.name ?? "administrator", createdBy: by.subject };
        const stored = await insertAdministratorKey(client, key, owner);
        await recordBootstrap(client, by.subject, stored.id);
        await audit.change(client, by, {
          action: "bootstrap.exchange",
          team: null,
          target: `/keys/${stored.id}`,
          after: keyView(stored),
        });
        return stored;
      });
      return reply
        .code(201)
        .header("location", `/v1/keys/${created.id}`)
        .header("cache-control", "no-store")
        .send({ ...keyView(created), key: key.text });
    },
  );
}
