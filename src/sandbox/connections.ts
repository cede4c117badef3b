import net from "node:net";
import * as grpc from "@grpc/grpc-js";
import type { ProviderConfiguration } from "./configuration.ts";

/**
 * Which provider resource speaks on which connection. Several engines attach to one process and each configures it for its own
 * account and region; the protocol's later calls don't say whose they are. But an engine opens a connection of its own for every
 * provider resource, explicit ones too (measured on 3.257), so the peer's address tells them apart.
 */
export class Connections {
  readonly #configurations = new Map<string, ProviderConfiguration>();
  readonly #cancellations = new Map<string, AbortController>();

  configure(peer: string, configuration: ProviderConfiguration): void {
    const cancellation = new AbortController();
    this.#cancellations.set(peer, cancellation);
    this.#configurations.set(peer, { ...configuration, cancelled: cancellation.signal });
  }

  /** Ends the waiting calls of this connection, and of no other. */
  cancel(peer: string): void {
    this.#cancellations.get(peer)?.abort();
  }

  configurationOf(peer: string): ProviderConfiguration | undefined {
    return this.#configurations.get(peer);
  }

  get size(): number {
    return this.#configurations.size;
  }

  /**
   * Serves on loopback and returns the port. The sockets are accepted here and handed to gRPC, because gRPC's server says nothing
   * of a connection's end, and the next connection may get the same port.
   */
  async serve(
    server: grpc.Server,
    port = 0,
  ): Promise<{ port: number; drained: () => Promise<void>; close: () => void }> {
    const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
    const listener = net.createServer({ noDelay: true }, (socket) => {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      socket.on("close", () => this.#forget(peer));
      socket.on("error", () => socket.destroy());
      injector.injectConnection(socket);
    });
    await new Promise<void>((resolve, reject) => {
      listener.once("error", reject);
      listener.listen(port, "127.0.0.1", resolve);
    });
    const address = listener.address();
    if (address === null || typeof address === "string")
      throw new Error("The sandbox could not listen on loopback");
    return {
      port: address.port,
      // A listener is closed when its last connection is.
      drained: () => new Promise((resolve) => listener.close(() => resolve())),
      close: () => {
        listener.close();
        injector.destroy();
        server.forceShutdown();
      },
    };
  }

  #forget(peer: string): void {
    this.cancel(peer);
    this.#cancellations.delete(peer);
    this.#configurations.delete(peer);
  }
}
