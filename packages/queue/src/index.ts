export type { UnitThread, UnitWorker, WorkerEvent, WorkerOptions } from "./consumer.js";
export { serveUnits } from "./consumer.js";
export {
  OtherCodeError,
  QueueAddressError,
  QueueDataError,
  QueueFullError,
  QueueLostError,
  QueueRefusedError,
  QueueUnreachableError,
  RunCancelledError,
  UnknownRunError,
  WorkersDiedError,
} from "./errors.js";
export type { QueueExecutor, QueueExecutorOptions } from "./executor.js";
export { queueExecutor } from "./executor.js";
export { protocol } from "./message.js";
export type { RunRecord, WorkerRecord } from "./registry.js";
export type { ResearchData } from "./research-data.js";
export type { QueueStatus } from "./status.js";
export { cancelRun, queueStatus } from "./status.js";
export type { Timing } from "./timing.js";
