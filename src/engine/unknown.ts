/**
 * What the engine writes where a text is not known before AWS has made something
 * (https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/runtime/rpc.ts).
 */
export const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
