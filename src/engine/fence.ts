import { reap } from "./reaper.ts";

// What a runner starts when it can't be sure any more that its operation is still its own: it ends everything of that run, the
// runner and what hides in process groups of its own. The runner itself may read nothing outside of its folder.
await reap(process.argv[2] ?? "");
