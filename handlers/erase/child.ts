import { answerParent } from "../runtime/child-process.ts";
import { readParquet } from "./parquet.ts";

answerParent(readParquet);
