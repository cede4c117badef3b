import { once } from "node:events";
import net from "node:net";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { parseConfiguration } from "../../../src/sandbox/configuration.ts";
import { Connections } from "../../../src/sandbox/connections.ts";

describe("configurations of connections", () => {
  test("end with the connection, since the next one may come from the same port", async () => {
    const connections = new Connections();
    const { port, close } = await connections.serve(new grpc.Server());
    const socket = net.connect(port, "127.0.0.1");
    await once(socket, "connect");
    const peer = `${socket.localAddress}:${socket.localPort}`;
    connections.configure(peer, parseConfiguration({ region: "eu-west-1" }));
    expect(connections.configurationOf(peer)?.region).toBe("eu-west-1");
    socket.destroy();
    await expect.poll(() => connections.size).toBe(0);
    close();
  });
});
