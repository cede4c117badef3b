import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { selfSignedCertificate } from "../../support/self-signed-certificate.ts";
import { expectExactGrants } from "../support/granted-calls.ts";
import {
  ASKED_BESIDES,
  alarmEvent,
  aWorld,
  current,
  everyGrant,
  playFully,
  release,
} from "../support/play-release.ts";
import type { ReleaseWorld } from "../support/release-world.ts";

const HOST = "predictions.example.com";
const trusted = getCACertificates();
const { cert, key } = selfSignedCertificate(HOST, new Date());

interface Asked {
  readonly path: string | undefined;
  readonly host: string | undefined;
}

const asked: Record<"callers" | "trials", Asked[]> = { callers: [], trials: [] };
let answersWith = 200;
const aListener = (behind: keyof typeof asked) =>
  createServer({ cert, key }, async (incoming, outgoing) => {
    asked[behind].push({ path: incoming.url, host: incoming.headers.host });
    const { instances } = JSON.parse(await text(incoming));
    const predictions = instances.map(() => "adelie");
    outgoing
      .writeHead(answersWith, { "content-type": "application/json" })
      .end(JSON.stringify({ predictions }));
  });
/** The load balancer's two: to tasks that callers reach, and to those that none does. */
const listeners = { callers: aListener("callers"), trials: aListener("trials") };

beforeAll(async () => {
  setDefaultCACertificates([...trusted, cert]);
  for (const listener of Object.values(listeners)) {
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
  }
});
afterAll(() => {
  setDefaultCACertificates(trusted);
  for (const listener of Object.values(listeners)) {
    listener.closeAllConnections();
    listener.close();
  }
});

async function aTaskWorld(): Promise<ReleaseWorld> {
  const world = await aWorld("ecs");
  const [port, testPort] = [listeners.callers, listeners.trials].map(
    (listener) => (listener.address() as AddressInfo).port,
  );
  await world.pipeline.putParameter(
    "serving/backend",
    JSON.stringify({ mode: "ecs", address: `127.0.0.1:${port}`, host: HOST, testPort }),
  );
  return world;
}

describe("a release of tasks", () => {
  it("registers a revision, tries its tasks before callers get them, and has CodeDeploy shift, once", async () => {
    const world = await aTaskWorld();
    const versions = await playFully(world, true);
    expect(world.codeDeploy.deployments).toHaveLength(2);
    const [shift] = world.codeDeploy.deployments;
    expect(shift?.appSpec).toMatchObject({
      Resources: [
        {
          TargetService: {
            Type: "AWS::ECS::Service",
            Properties: { LoadBalancerInfo: { ContainerName: "predict", ContainerPort: 8443 } },
          },
        },
      ],
      Hooks: [{ AfterAllowTestTraffic: world.names.named("release") }],
    });
    expect(asked.trials).toContainEqual({ path: "/invocations", host: HOST });
    const { made, modelPackageArn, earlier } = await current(world);
    expect(modelPackageArn).toBe(versions[2]);
    expect(made.taskDefinitionArn).toBe(world.codeDeploy.serves);
    expect(earlier.map((each) => each.made.taskDefinitionArn)).toEqual(
      [2, 1].map((revision) => made.taskDefinitionArn?.replace(/:\d+$/, `:${revision}`)),
    );
    const [container] = await world.containersOf(made.taskDefinitionArn ?? "");
    expect(container?.environment).toEqual([{ name: "AIDLC_MODEL_PACKAGE", value: versions[2] }]);
    expect(container?.image).toMatch(/inference@sha256:[0-9a-f]{64}$/);
  });

  it("whose tasks fail on the test listener never gets a caller", async () => {
    const world = await aTaskWorld();
    const first = await world.approve();
    await release(world, first);
    await world.bringUp(first);
    const before = world.codeDeploy.serves;
    answersWith = 500;
    const { end } = await release(world, await world.approve());
    answersWith = 200;
    expect(end).toBe("RolledBack");
    expect(world.codeDeploy.deployments.map(({ status }) => status)).toEqual(["Failed"]);
    expect(world.codeDeploy.serves).toBe(before);
    expect((await current(world)).modelPackageArn).toBe(first);
  });

  it("is stopped by the guard", async () => {
    const world = await aTaskWorld();
    const first = await world.approve();
    await release(world, first);
    await world.bringUp(first);
    let rung = false;
    const ring = async () => {
      if (rung) return;
      rung = true;
      await world.handle(alarmEvent(world));
    };
    const { end } = await release(world, await world.approve(), { at: { AwaitShift: ring }, twice: true });
    expect(end).toBe("RolledBack");
    expect(world.codeDeploy.deployments[0]?.status).toBe("Stopped");
  });

  it("goes back to the version before, all tasks at once, when somebody asks", async () => {
    const world = await aTaskWorld();
    const versions = [await world.approve(), await world.approve()];
    await release(world, versions[0] ?? "");
    await world.bringUp(versions[0] ?? "");
    const before = world.codeDeploy.serves;
    await release(world, versions[1] ?? "");
    expect(world.codeDeploy.serves).not.toBe(before);
    const event = { task: "roll-back", scope: "release", trigger: "person" };
    expect(await world.handle(event)).toEqual({ outcome: "rolled-back" });
    expect(world.codeDeploy.serves).toBe(before);
    expect(world.codeDeploy.deployments.at(-1)).toMatchObject({
      configName: "CodeDeployDefault.ECSAllAtOnce",
    });
    expect((await current(world)).modelPackageArn).toBe(versions[0]);
  });

  it("refuses tasks of a deployment that no release started", async () => {
    const world = await aTaskWorld();
    const first = await world.approve();
    await release(world, first);
    await world.bringUp(first);
    world.codeDeploy.startByHand();
    const [hook] = world.codeDeploy.hooks();
    expect(await world.handle(hook)).toEqual({ outcome: "answered" });
    expect(await world.handle(hook)).toEqual({ outcome: "answered" });
    expect(world.codeDeploy.deployments[0]?.status).toBe("Failed");
  });
});

describe("the first tasks", () => {
  it("are tried through the callers' listener once they are steady, and recorded with their revision", async () => {
    const world = await aTaskWorld();
    const first = await world.approve();
    await release(world, first);
    await world.bringUp(first);
    world.codeDeploy.looksUntilSteady = 3;
    expect(await world.handle({ task: "try" })).toEqual({ outcome: "tried" });
    expect(asked.callers).toEqual([{ path: "/invocations", host: HOST }]);
    expect((await current(world)).made).toEqual({ taskDefinitionArn: world.codeDeploy.serves });
  });

  it("that fail are told to people", async () => {
    const world = await aTaskWorld();
    const first = await world.approve();
    await release(world, first);
    await world.bringUp(first);
    answersWith = 500;
    try {
      expect(await world.handle({ task: "try" })).toEqual({ outcome: "failed" });
    } finally {
      answersWith = 200;
    }
    const alerts = await world.pipeline.takeAlerts();
    expect(alerts.at(-1)).toMatchObject({ code: "first_release_fails", detail: { error: "TestsFailed" } });
  });
});

expectExactGrants(everyGrant, ASKED_BESIDES);
