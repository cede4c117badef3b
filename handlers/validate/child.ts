import { validateFile } from "../dataset/validate-in-child.ts";
import { answerParent } from "../runtime/child-process.ts";

answerParent(validateFile);
