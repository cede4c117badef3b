const namePrefix = "setup: ";

/**
 * Announces one step on `stream` and keeps saying that it is alive: every second in place on a terminal, else with a line
 * every 15 seconds. Exactly one of the two functions it returns is to be called.
 * @param {string} text what is done, and why
 * @param {{ isTTY?: boolean, columns?: number, write(text: string): unknown }} stream
 */
export function startStep(text, stream = process.stderr) {
  const startedAt = Date.now();
  const inPlace = stream.isTTY === true;
  const show = () => {
    const end = ` … ${elapsed(startedAt)}`;
    // A line that wraps can't be overwritten.
    const room = inPlace ? (stream.columns || 80) - 1 - namePrefix.length - end.length : text.length;
    const line = `${namePrefix}${text.slice(0, room)}${end}`;
    stream.write(inPlace ? `\r\u001b[2K${line}` : `${line}\n`);
  };
  if (inPlace) show();
  else stream.write(`${namePrefix}${text} …\n`);
  const timer = setInterval(show, inPlace ? 1_000 : 15_000);
  /** @param {string} outcome */
  const end = (outcome) => {
    clearInterval(timer);
    stream.write(`${inPlace ? "\r\u001b[2K" : ""}${namePrefix}${outcome} (${elapsed(startedAt)})\n`);
  };
  return { done: end, failed: end };
}

/**
 * @param {string} text
 * @param {{ write(text: string): unknown }} stream
 */
export function say(text, stream = process.stderr) {
  stream.write(`${namePrefix}${text}\n`);
}

/** @param {number} startedAt */
function elapsed(startedAt) {
  const ms = Date.now() - startedAt;
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}
