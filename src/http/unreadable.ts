import type { Socket } from "node:net";
import { AppError, httpStatusByCode } from "../errors.ts";
import { problemOf } from "./problem.ts";

/** Answers what Node refuses before it becomes a request of ours: too slow, too large, or no HTTP. */
export function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  // An answer that has begun can't be followed by another.
  const { _httpMessage: answer } = socket as Socket & { _httpMessage?: { headersSent: boolean } | null };
  if (error.code === "ECONNRESET" || !socket.writable || answer?.headersSent) {
    socket.destroy();
    return;
  }
  const refusal = refusalOf(error.code);
  const body = JSON.stringify(problemOf(refusal, "", null));
  const head = [
    `HTTP/1.1 ${refusal.httpStatus} ${reasons[refusal.httpStatus]}`,
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
    "cache-control: no-store",
    "x-content-type-options: nosniff",
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  // Not at once, or the answer is lost with what is still arriving; nor left to the caller, who may never close.
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

const lingerMs = 1_000;

const reasons: Readonly<Record<number, string>> = {
  [httpStatusByCode.invalid_request]: "Bad Request",
  [httpStatusByCode.request_timeout]: "Request Timeout",
  [httpStatusByCode.headers_too_large]: "Request Header Fields Too Large",
};

function refusalOf(code: string | undefined): AppError {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new AppError("request_timeout", "The request didn't arrive in time: send it faster, or smaller");
    case "HPE_HEADER_OVERFLOW":
      return new AppError("headers_too_large", "Address and headers have more than 16 KiB: send less");
    default:
      return new AppError("invalid_request", `The request is not valid HTTP (${code})`);
  }
}
