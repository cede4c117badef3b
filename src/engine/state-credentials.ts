// What the CLI runs for credentials of the state backend, whenever those it has are about to end: a `credential_process` of the
// profile in `credentials.ts`. https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
// biome-ignore lint/style/noProcessEnv: an executable of its own, whose only settings these are
const { AIDLC_STATE_CREDENTIALS_URL: url, AIDLC_STATE_CREDENTIALS_TOKEN: token } = process.env;
const answer = await fetch(url ?? "", { headers: { authorization: token ?? "" } });
if (!answer.ok) {
  process.stderr.write(`The credentials of the state backend can't be had: ${answer.status}\n`);
  process.exit(1);
}
const { Token, ...key } = (await answer.json()) as Readonly<Record<string, string>>;
process.stdout.write(JSON.stringify({ Version: 1, ...key, SessionToken: Token }));

export {};
